//! What a terminal can show: format, colour, width.

use std::fmt;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// One JSON object a line; the document's head last.
    Jsonl,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug)]
pub struct OutputStyle {
    /// For people or for scripts.
    pub format: Format,
    /// When to use colour.
    pub color: ColorChoice,
    /// Columns of the terminal; 100 where there is none.
    pub width: usize,
    /// Whether to show everything.
    pub verbose: bool,
    /// How many findings to show, if given.
    pub top: Option<usize>,
}

impl OutputStyle {
    /// The style for standard output as it is now.
    #[must_use]
    pub fn of_stdout(format: Format, color: ColorChoice, verbose: bool) -> Self {
        let width = if std::io::stdout().is_terminal() {
            rustix::termios::tcgetwinsize(std::io::stdout())
                .ok()
                .map(|size| usize::from(size.ws_col))
        } else {
            None
        };
        Self { format, color, width: width.filter(|&w| w >= 60).unwrap_or(100), verbose, top: None }
    }
}

/// Words with a meaning that colour may stress; the words alone say everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// Something is broken.
    Bad,
    /// Something deserves a look.
    Warn,
    /// Something is well.
    Good,
    /// A heading.
    Strong,
    /// Of lesser weight.
    Faint,
}

impl Paint {
    /// The text between this paint's escape sequences; the stream strips them where unwanted.
    pub fn on<T: fmt::Display>(self, text: T) -> impl fmt::Display {
        let style = self.style();
        fmt::from_fn(move |f| write!(f, "{style}{text}{style:#}"))
    }

    fn style(self) -> Style {
        let plain = Style::new();
        match self {
            Self::Bad => plain.bold().fg_color(Some(AnsiColor::Red.into())),
            Self::Warn => plain.bold().fg_color(Some(AnsiColor::Yellow.into())),
            Self::Good => plain.bold().fg_color(Some(AnsiColor::Green.into())),
            Self::Strong => plain.bold(),
            Self::Faint => plain.dimmed(),
        }
    }
}

/// Text broken into lines of at most so many columns, at blanks.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
