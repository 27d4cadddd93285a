//! Bytes as hex digits, two for each byte, and back.

use std::fmt::Write as _;

/// Lower-case hex digits of the bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The bytes that hex digits of either case stand for; `None` for an odd number of digits or
/// anything else among them.
#[must_use]
pub fn decode(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| byte_of(pair.try_into().ok()?)).collect()
}

/// The byte that two hex digits stand for.
#[must_use]
pub fn byte_of([high, low]: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(value(high)? << 4 | value(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_pairs_of_digits_are_read() {
        assert_eq!(decode("00fFa9"), Some(vec![0, 0xff, 0xa9]));
        assert_eq!(decode(""), Some(Vec::new()));
        for wrong in ["0", "0x", "+1", "1 ", "\u{e4}"] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = decode(&text);
        }
    }
}
