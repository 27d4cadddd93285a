//! A plan, as shown before it runs, and as the document `georepair/plan/1`.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{Document, OutputStyle, Paint};
use crate::domain::{Name, counted};
use crate::plan::{Plan, Step};

/// A plan, and which of its steps are already done.
#[derive(Clone, Debug)]
pub struct PlanView<'a> {
    plan: &'a Plan,
    already_done: Vec<bool>,
}

impl<'a> PlanView<'a> {
    /// The view; `already_done` for each step, empty if that is not known.
    #[must_use]
    pub fn new(plan: &'a Plan, already_done: Vec<bool>) -> Self {
        Self { plan, already_done }
    }

    /// Whether running the plan would change anything.
    #[must_use]
    pub fn would_change(&self) -> bool {
        !(0..self.plan.steps.len()).all(|index| self.is_done(index))
    }

    fn is_done(&self, index: usize) -> bool {
        self.already_done.get(index).copied().unwrap_or(false)
    }

    fn step(&self, index: usize, step: &Step, node: usize, out: &mut dyn Write) -> io::Result<()> {
        let says = Name::from(step.does.says());
        let says = says.lossy();
        let done = if self.is_done(index) { "  (already done)" } else { "" };
        let id = Paint::Strong.on(format!("{:>4}", step.id));
        writeln!(out, "{id}  {:node$}  {}{done}", plain(&step.node), plain(&says))?;
        let margin = node + 8;
        for guard in &step.guards {
            let guard = plain(&guard.to_string());
            writeln!(out, "{:margin$}{}", "", Paint::Faint.on(format_args!("if {guard}")))?;
        }
        Ok(())
    }
}

/// Text without control characters: titles and names in a plan are input.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

impl Serialize for PlanView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.plan.serialize(serializer)
    }
}

impl Document for PlanView<'_> {
    const ITEMS: &'static str = "steps";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let steps = &self.plan.steps;
        writeln!(out, "{}  {}", Paint::Strong.on("PLAN"), plain(&self.plan.title))?;
        let many = counted(steps.len() as u64, "step");
        writeln!(out, "{}, {many}\n", plain(&self.plan.session))?;
        let node = steps.iter().map(|step| step.node.chars().count()).max().unwrap_or_default();
        let irreversible = self.plan.point_of_no_return();
        for (index, step) in steps.iter().enumerate() {
            if Some(step.id) == irreversible {
                let line = "---- cannot be undone from here on ----";
                writeln!(out, "      {}", Paint::Warn.on(line))?;
            }
            self.step(index, step, node, out)?;
        }
        if steps.is_empty() {
            writeln!(out, "nothing to do")?;
        }
        if let Some(left) = &self.plan.afterwards {
            writeln!(out, "\nafterwards: {}", plain(&left.to_string()))?;
        }
        Ok(())
    }
}
