//! How answers are printed, for people and for scripts: one file per document.

mod audit;
mod changelog;
mod check_list;
mod diagnosis;
mod gfids;
mod pending;
mod plan;
mod print;
mod progress;
mod ready;
mod reset_levels;
mod runbooks;
mod runs;
mod stats;
mod stream;
mod style;
mod trigger_sync;

pub use audit::AuditList;
pub use changelog::{RecordList, RolloverRow, Row};
pub use check_list::check_list;
pub use gfids::{GfidList, GfidRow};
pub use pending::PendingList;
pub use plan::PlanView;
pub use print::{Document, PrintError, print};
pub use progress::TerminalProgress;
pub use ready::ReadyList;
pub use reset_levels::reset_levels;
pub use runbooks::{RunbookError, Runbooks};
pub use runs::{RunList, RunView};
pub use stats::StatsReport;
pub use stream::{Record, Stream};
pub use style::{ColorChoice, Format, OutputStyle, Paint};
pub use trigger_sync::TriggerSyncReport;
