//! A plan as the JSON document `georepair/plan/1`, and back.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::{Because, FollowUp, Guard, Plan, Step, StepId, Work};

const SCHEMA: &str = "georepair/plan/1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFields {
    schema: String,
    title: String,
    session: String,
    undoes: Option<Uuid>,
    steps: Vec<StepFields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    afterwards: Option<FollowUp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    id: StepId,
    because: Because,
    node: String,
    guards: Vec<Guard>,
    action: Work,
    #[serde(default)]
    says: String,
    #[serde(default)]
    reversible: bool,
    #[serde(default)]
    shell: String,
}

impl Plan {
    /// xxh3 (64 bits, 16 hex digits) of all that decides what the plan does; not of `says` and the
    /// like, whose words may change with the version.
    #[must_use]
    pub fn digest(&self) -> String {
        let steps = self.steps.iter();
        let steps: Vec<_> =
            steps.map(|it| (it.id, &it.because, &it.node, &it.guards, &it.does)).collect();
        let core = (&self.title, &self.session, self.undoes, steps, &self.afterwards);
        // Never fails: it is plain data.
        format!("{:016x}", xxh3_64(&serde_json::to_vec(&core).unwrap_or_default()))
    }
}

impl Step {
    /// The step as one line of JSON, without what is derived from the rest.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { id, because, node, guards, does } = self;
        serde_json::json!({
            "id": id, "because": because, "node": node, "guards": guards, "action": does,
        })
        .to_string()
    }

    /// Reads a step as [`Step::to_json`] writes it.
    ///
    /// # Errors
    /// What is wrong with the JSON.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str::<StepFields>(text).map(Self::from)
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PlanFields {
            schema: SCHEMA.to_owned(),
            title: self.title.clone(),
            session: self.session.clone(),
            undoes: self.undoes,
            steps: self.steps.iter().map(StepFields::from).collect(),
            afterwards: self.afterwards.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = PlanFields::deserialize(deserializer)?;
        if fields.schema != SCHEMA {
            return Err(D::Error::custom(format!("{:?} is not {SCHEMA:?}", fields.schema)));
        }
        if fields.steps.iter().zip(1..).any(|(step, id)| step.id != StepId(id)) {
            return Err(D::Error::custom("the steps are not numbered from 1 in their order"));
        }
        let steps = fields.steps.into_iter().map(Step::from).collect();
        let PlanFields { title, session, undoes, afterwards, .. } = fields;
        Ok(Self { title, session, undoes, steps, afterwards })
    }
}

impl From<&Step> for StepFields {
    fn from(step: &Step) -> Self {
        Self {
            id: step.id,
            because: step.because.clone(),
            node: step.node.clone(),
            guards: step.guards.clone(),
            action: step.does.clone(),
            says: step.does.says(),
            reversible: step.does.is_reversible(),
            shell: step.shell(),
        }
    }
}

impl From<StepFields> for Step {
    fn from(fields: StepFields) -> Self {
        let StepFields { id, because, node, guards, action: does, .. } = fields;
        Self { id, because, node, guards, does }
    }
}
