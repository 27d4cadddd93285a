//! Runs: the list `georepair/runs/1`, and one run step by step.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::plan::plain;
use super::{Document, OutputStyle, Paint};
use crate::apply::{RunProgress, RunState, StepState, Summary};
use crate::domain::Name;
use crate::plan::{Plan, Step};

/// The document `georepair/runs/1`.
#[derive(Debug)]
pub struct RunList {
    runs: Vec<Summary>,
}

/// One run with its steps, the document `georepair/run/1`.
#[derive(Debug)]
pub struct RunView {
    run: Summary,
}

impl RunList {
    /// The list, oldest first.
    #[must_use]
    pub fn new(runs: Vec<Summary>) -> Self {
        Self { runs }
    }
}

impl RunView {
    /// One run.
    #[must_use]
    pub fn new(run: Summary) -> Self {
        Self { run }
    }

    fn content(&self) -> Option<&(Plan, RunProgress)> {
        self.run.content.as_ref().ok()
    }
}

fn word(state: RunState) -> &'static str {
    match state {
        RunState::Finished => "finished",
        RunState::Unfinished => "unfinished",
        RunState::Undone => "undone",
    }
}

fn fields(run: &Summary) -> Value {
    let content = run.content.as_ref().ok();
    let damage = run.content.as_ref().err();
    let damage = damage.map(|error| {
        let cause = std::error::Error::source(error);
        cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
    });
    json!({
        "run": run.id,
        "title": content.map(|(plan, _)| &plan.title),
        "session": content.map(|(plan, _)| &plan.session),
        "state": word(run.state),
        "started": content.and_then(|(_, progress)| progress.began().map(|(_, at)| *at)),
        "steps": content.map(|(plan, _)| plan.steps.len()),
        "done": content.map(|(_, progress)| progress.done()),
        "undoes": content.and_then(|(plan, _)| plan.undoes),
        "undone_by": run.undone_by,
        "damage": damage,
    })
}

fn step_fields(step: &Step, progress: &RunProgress) -> Value {
    let bulk = step.does.manifest().map(|_| progress.bulk(step.id));
    let before = match progress.step(step.id) {
        StepState::Begun { before } | StepState::Done { before } => before.as_ref(),
        StepState::Waiting | StepState::AlreadySo => None,
    };
    json!({
        "id": step.id,
        "node": step.node,
        "says": step.does.says(),
        "state": step_word(progress.step(step.id)),
        "before": before,
        "items": bulk.as_ref().map(|bulk| bulk.done),
        "failed": bulk.as_ref().map(|bulk| bulk.failed),
    })
}

fn step_word(state: &StepState) -> &'static str {
    match state {
        StepState::Waiting => "waiting",
        StepState::Begun { .. } => "begun",
        StepState::Done { .. } => "done",
        StepState::AlreadySo => "already so",
    }
}

impl Serialize for RunList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let runs: Vec<Value> = self.runs.iter().map(fields).collect();
        json!({ "schema": "georepair/runs/1", "runs": runs }).serialize(serializer)
    }
}

impl Serialize for RunView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = fields(&self.run);
        let steps = self.content().map(|(plan, progress)| {
            plan.steps.iter().map(|step| step_fields(step, progress)).collect::<Vec<_>>()
        });
        if let Some(object) = document.as_object_mut() {
            let stopped = self.content().and_then(|(_, progress)| progress.stopped());
            let stopped = stopped.map(|(step, why)| json!({ "step": step, "why": why }));
            object.insert("schema".to_owned(), json!("georepair/run/1"));
            object.insert(
                "origin".to_owned(),
                json!(self.content().and_then(|(_, l)| l.began().map(|(origin, _)| origin))),
            );
            object.insert("stopped".to_owned(), json!(stopped));
            object.insert("list".to_owned(), json!(steps));
        }
        document.serialize(serializer)
    }
}

impl Document for RunList {
    const ITEMS: &'static str = "runs";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        if self.runs.is_empty() {
            return writeln!(out, "no runs");
        }
        let head = format!("{:36}  {:10}  {:>9}  {:20}  about", "run", "state", "done", "started");
        writeln!(out, "{}", Paint::Strong.on(head))?;
        for run in &self.runs {
            let (done, started, about) = match &run.content {
                Ok((plan, progress)) => (
                    format!("{}/{}", progress.done(), plan.steps.len()),
                    progress.began().map(|(_, at)| at.to_string()).unwrap_or_default(),
                    plain(&plan.title),
                ),
                Err(error) => (String::new(), String::new(), format!("cannot be read: {error}")),
            };
            let started = started.get(..19).unwrap_or(&started);
            let state = word(run.state);
            writeln!(out, "{:36}  {state:10}  {done:>9}  {started:20}  {about}", run.id)?;
        }
        Ok(())
    }
}

impl Document for RunView {
    const ITEMS: &'static str = "list";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let id = self.run.id;
        let Some((plan, progress)) = self.content() else {
            return writeln!(out, "run {id} cannot be read");
        };
        let state = word(self.run.state);
        writeln!(out, "{}  {state}  {}", Paint::Strong.on(id), plain(&plan.title))?;
        if let Some((origin, at)) = progress.began() {
            let argv: Vec<_> = origin.argv.iter().map(|it| Name::from(it).to_string()).collect();
            let (user, host) = (Name::from(&origin.user), Name::from(&origin.host));
            writeln!(out, "started {at} by {user} on {host}: {}", argv.join(" "))?;
        }
        writeln!(out)?;
        for step in &plan.steps {
            let (state, says) = (step_word(progress.step(step.id)), step.does.says());
            writeln!(out, "{:>4}  {state:10}  {}  {says}", step.id, Name::from(&step.node))?;
            let bulk = progress.bulk(step.id);
            if bulk.done + bulk.failed > 0 {
                writeln!(out, "{:18}{} items done, {} failed", "", bulk.done, bulk.failed)?;
            }
        }
        if let Some((step, why)) = progress.stopped() {
            writeln!(out, "\nstopped at step {step}: {}", Name::from(why).lossy())?;
        }
        match self.run.state {
            RunState::Unfinished => {
                writeln!(out, "\nresume:  georepair runs resume {id}")?;
                writeln!(out, "undo:    georepair runs undo {id}")
            }
            RunState::Finished if plan.point_of_no_return().is_none() => {
                writeln!(out, "\nundo:    georepair runs undo {id}")
            }
            _ => Ok(()),
        }
    }
}
