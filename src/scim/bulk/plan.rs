//! In which order the operations of a request can be carried out (RFC 7644 §3.7.1).

use std::collections::{BTreeSet, HashMap};

use crate::scim::{
    bulk::{BulkRequest, Method, Operation, references::Ids},
    error::{ScimError, quoted},
};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Carry out the operation of this index, without what mentions these `bulkId`s: their
    /// resources are not there yet.
    Run {
        /// Its place in [`BulkRequest::operations`].
        operation: usize,
        /// What [`Operation::resolved`] leaves out; mostly nothing.
        left_out: BTreeSet<String>,
    },
    /// Add what was left out of a resource that was created: [`Operation::completion`]. If that
    /// fails, so has the operation.
    Complete {
        /// Its place in [`BulkRequest::operations`].
        operation: usize,
        /// What was left out.
        left_out: BTreeSet<String>,
    },
    /// Answer the operation with this error.
    Refuse {
        /// Its place in [`BulkRequest::operations`].
        operation: usize,
        /// What is wrong with it.
        error: ScimError,
    },
}

/// The steps in which a request is carried out.
///
/// The order is that of the request, but that a resource is created before it is mentioned. Where
/// resources mention each other in a circle, one is created without that mention and completed as
/// soon as the others are there. Every operation is run or refused once.
pub fn steps(request: &BulkRequest) -> Vec<Step> {
    let mut planner = Planner::new(request);
    for operation in 0..request.operations.len() {
        planner.visit(operation);
    }
    planner.steps
}

struct Planner<'r> {
    request: &'r BulkRequest,
    /// What is wrong with an operation, or which others must come before it.
    needs: Vec<Result<Vec<usize>, ScimError>>,
    progress: Vec<Progress>,
    left_out: Vec<BTreeSet<String>>,
    /// Which operations lack what this one creates.
    waiting: Vec<Vec<usize>>,
    /// How many others an operation waits for.
    missing: Vec<usize>,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    /// What it needs is being looked at.
    Open,
    Done,
}

impl<'r> Planner<'r> {
    fn new(request: &'r BulkRequest) -> Self {
        let (known, creators) = (Ids::known(request), creators(request));
        let needs = request.operations.iter().map(|entry| {
            let operation = entry.operation.as_ref().map_err(Clone::clone)?;
            needs(operation, &known, &creators)
        });
        let count = request.operations.len();
        Self {
            request,
            needs: needs.collect(),
            progress: vec![Progress::New; count],
            left_out: vec![BTreeSet::new(); count],
            waiting: vec![Vec::new(); count],
            missing: vec![0; count],
            steps: Vec::with_capacity(count),
        }
    }

    /// Goes through what the operation needs, and what that needs, before it. The way there is
    /// kept in a list: a thousand operations may each need the next.
    fn visit(&mut self, operation: usize) {
        let mut open = vec![(operation, 0)];
        while let Some((operation, next)) = open.last_mut() {
            let operation = *operation;
            if *next == 0 && self.progress[operation] != Progress::New {
                open.pop();
                continue;
            }
            self.progress[operation] = Progress::Open;
            let need = self.needs[operation].as_ref().ok().and_then(|needs| needs.get(*next));
            *next += 1;
            match need.copied() {
                None => {
                    open.pop();
                    self.finish(operation);
                }
                Some(need) if self.progress[need] == Progress::Open => {
                    self.leave_out(operation, need);
                }
                Some(need) => open.push((need, 0)),
            }
        }
    }

    fn leave_out(&mut self, operation: usize, need: usize) {
        self.left_out[operation].extend(self.request.operations[need].bulk_id.clone());
        self.waiting[need].push(operation);
        self.missing[operation] += 1;
    }

    fn finish(&mut self, operation: usize) {
        self.progress[operation] = Progress::Done;
        let left_out = self.left_out[operation].clone();
        self.steps.push(match &self.needs[operation] {
            Ok(_) => Step::Run { operation, left_out },
            Err(error) => Step::Refuse { operation, error: error.clone() },
        });
        for waiting in std::mem::take(&mut self.waiting[operation]) {
            self.missing[waiting] -= 1;
            if self.missing[waiting] == 0 {
                let left_out = self.left_out[waiting].clone();
                self.steps.push(Step::Complete { operation: waiting, left_out });
            }
        }
    }
}

/// Which operation creates what a `bulkId` stands for; one that is wrong in itself too, so that
/// what mentions it fails with it.
fn creators(request: &BulkRequest) -> HashMap<&str, usize> {
    let entries = request.operations.iter().enumerate();
    let creators = entries.filter_map(|(index, entry)| {
        let creates = entry.operation.as_ref().map_or(true, |o| o.method == Method::Post);
        entry.bulk_id.as_deref().filter(|_| creates).map(|bulk_id| (bulk_id, index))
    });
    creators.collect()
}

/// The operations that must come before this one, in the order of the request.
fn needs(
    operation: &Operation,
    known: &Ids,
    creators: &HashMap<&str, usize>,
) -> Result<Vec<usize>, ScimError> {
    let references = operation.references().into_iter();
    let unknown = references.filter(|bulk_id| known.get(bulk_id).is_none());
    let needs = unknown.map(|bulk_id| {
        creators.get(bulk_id).copied().ok_or_else(|| {
            let detail = format!("bulkId {} is no operation's that creates", quoted(bulk_id));
            ScimError::InvalidValue(detail)
        })
    });
    let needs = needs.collect::<Result<BTreeSet<_>, _>>()?;
    Ok(needs.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::scim::bulk::tests::request;

    /// The creation of a group under the name, with these members.
    fn group(name: impl std::fmt::Display, members: &[&str]) -> Value {
        let members = members.iter().map(|member| json!({ "value": member }));
        let members: Value = members.collect();
        json!({ "method": "POST", "path": "/Groups", "bulkId": name.to_string(),
            "data": { "members": members } })
    }

    /// The steps in short: `0`, `0-a` without the mention of `a`, `0+` completed, `0!` refused.
    fn planned(operations: &Value) -> String {
        let steps = steps(&request(operations)).into_iter().map(|step| match step {
            Step::Run { operation, left_out } if left_out.is_empty() => operation.to_string(),
            Step::Run { operation, left_out } => {
                format!("{operation}-{}", Vec::from_iter(left_out).join("-"))
            }
            Step::Complete { operation, .. } => format!("{operation}+"),
            Step::Refuse { operation, .. } => format!("{operation}!"),
        });
        steps.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_mentioned_comes_first_and_the_rest_stays_in_order() {
        let delete = json!({ "method": "DELETE", "path": "/Users/1" });
        let change = json!({ "method": "PATCH", "path": "/Groups/1", "bulkId": "p", "data":
            { "Operations": [{ "path": "members[value eq \"bulkId:b\"]" }] } });
        let plans = [
            (json!([group("a", &[]), delete, group("b", &[])]), "0 1 2"),
            (json!([group("a", &["bulkId:b"]), delete, group("b", &[])]), "2 0 1"),
            (
                json!([group("a", &["bulkId:c"]), group("b", &["bulkId:a"]), group("c", &[])]),
                "2 0 1",
            ),
            (json!([change, delete, group("b", &["bulkId:p"])]), "2 0 1"),
            (json!([{ "method": "DELETE", "path": "/Groups/bulkId:a" }, group("a", &[])]), "1 0"),
        ];
        for (operations, expected) in plans {
            assert_eq!(planned(&operations), expected, "{operations}");
        }
    }

    #[test]
    fn circles_are_cut_and_closed_again() {
        let plans = [
            (json!([group("a", &["bulkId:a"])]), "0-a 0+"),
            (json!([group("a", &["bulkId:b"]), group("b", &["bulkId:a"])]), "1-a 0 1+"),
            (
                json!([
                    group("a", &["bulkId:b"]),
                    group("b", &["bulkId:c"]),
                    group("c", &["bulkId:a", "bulkId:b", "7"]),
                ]),
                "2-a-b 1 0 2+",
            ),
            (
                json!([
                    group("a", &["bulkId:b", "bulkId:c"]),
                    group("b", &["bulkId:a"]),
                    group("c", &["bulkId:a", "bulkId:b"]),
                ]),
                "1-a 2-a 0 1+ 2+",
            ),
        ];
        for (operations, expected) in plans {
            assert_eq!(planned(&operations), expected, "{operations}");
        }
    }

    #[test]
    fn what_mentions_nobody_is_refused_and_what_mentions_a_refusal_fails_when_it_is_run() {
        let wrong = json!({ "method": "POST", "path": "/Nothing", "bulkId": "w", "data": {} });
        let alias =
            json!({ "method": "PUT", "path": "/Users/bulkId:a", "bulkId": "u", "data": {} });
        let plans = [
            (json!([group("a", &["bulkId:z"]), group("b", &["bulkId:a"])]), "0! 1"),
            (json!([group("a", &["bulkId:w"]), wrong]), "1! 0"),
            (json!([group("a", &["bulkId:"]), 7]), "0! 1!"),
            (json!([alias, group("a", &[]), group("b", &["bulkId:u"])]), "1 0 2!"),
        ];
        for (operations, expected) in plans {
            assert_eq!(planned(&operations), expected, "{operations}");
        }
    }

    #[test]
    fn a_long_chain_and_a_thousand_in_one_circle_are_planned() {
        let next = |index: usize| format!("bulkId:{}", (index + 1) % 1000);
        let groups: Vec<_> = (0..1000).map(|index| group(index, &[&next(index)])).collect();
        let body = json!({ "Operations": groups });
        let Value::Object(body) = body else { panic!() };
        let request = BulkRequest::parse(body, 1000, &crate::scim::dialect::ENTRA).unwrap();

        let steps = steps(&request);

        let left_out = BTreeSet::from(["0".to_owned()]);
        assert_eq!(steps.len(), 1001);
        assert_eq!(steps[0], Step::Run { operation: 999, left_out: left_out.clone() });
        assert_eq!(steps[1000], Step::Complete { operation: 999, left_out });
    }

    proptest! {
        #[test]
        fn every_operation_is_carried_out_once_and_finds_what_it_mentions(
            mentions in proptest::collection::vec(proptest::collection::vec(0_usize..3, 0..3), 3)
        ) {
            let groups = mentions.iter().enumerate().map(|(index, mentions)| {
                let members: Vec<_> = mentions.iter().map(|m| format!("bulkId:{m}")).collect();
                group(index, &members.iter().map(String::as_str).collect::<Vec<_>>())
            });
            let request = request(&groups.collect());

            let mut ids = Ids::default();
            let mut run = Vec::new();
            for step in steps(&request) {
                let operation = |index: usize| request.operations[index].operation.clone().unwrap();
                match step {
                    Step::Run { operation: index, left_out } => {
                        prop_assert!(operation(index).resolved(&ids, &left_out).is_ok());
                        ids.insert(index.to_string(), format!("id of {index}"));
                        run.push(index);
                    }
                    Step::Complete { operation: index, left_out } => {
                        prop_assert!(operation(index).completion(&ids, &left_out).is_ok());
                    }
                    Step::Refuse { operation, .. } => prop_assert!(false, "{operation} is refused"),
                }
            }

            run.sort_unstable();
            prop_assert_eq!(run, vec![0, 1, 2]);
        }
    }
}
