//! Counts and sizes as people read them.

/// A number with a comma every three digits, and what it counts: `1,234 lines`, `1 line`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{out} {noun}{plural}")
}

/// A size in powers of 1024: `1.5 KiB`.
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    let (mut unit, mut shift) = ("B", 0);
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if bytes >> (shift + 10) > 0 {
            (unit, shift) = (next, shift + 10);
        }
    }
    if shift == 0 {
        return format!("{bytes} B");
    }
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_agree_in_number() {
        assert_eq!(counted(1, "line"), "1 line");
        assert_eq!(counted(1_234_567, "line"), "1,234,567 lines");
        assert_eq!(counted(999, "file"), "999 files");
    }

    #[test]
    fn sizes_have_one_decimal() {
        for (bytes, shown) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB")]
        {
            assert_eq!(human_bytes(bytes), shown);
        }
        assert_eq!(human_bytes(u64::MAX), "16777215.9 TiB");
    }
}
