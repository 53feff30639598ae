//! `haechi iam explain`: why a request is allowed or denied.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use haechi_core::{Clock, SystemClock};

use super::audit;
use crate::Failure;
use crate::cli::{ExplainOptions, IamCommand};
use crate::data::DataDirectory;
use crate::explain::files::{collect, read};
use crate::explain::{Answer, Given, GivenPolicies, Question, Who, event};
use crate::operator::ask::IamExplain;

/// Explains a decision.
///
/// # Errors
/// If the question or a policy is none; without `--files-only`, if neither a server nor the data
/// directory can be asked.
pub fn run(command: IamCommand) -> Result<ExitCode, Failure> {
    let IamCommand::Explain(options) = command;
    let answer = answer(&options)?;
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&answer.json)?)?;
    } else {
        write!(out, "{}", answer.text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(options: &ExplainOptions) -> Result<Answer, Failure> {
    let question = question(options)?;
    if options.files_only {
        return question.answer(collect(&question, SystemClock.now())?);
    }
    let data = DataDirectory::existing(options.options.data.data.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(crate::operator::ask(&data, &options.options, IamExplain { question }))
}

fn question(options: &ExplainOptions) -> Result<Question, Failure> {
    let given = given(options)?;
    let context = context(&options.context)?;
    let Some(event_id) = &options.event else {
        let missing = || "name --principal and --action, or an --event".to_owned();
        return Ok(Question {
            who: Who::Named(options.principal.clone().ok_or_else(missing)?),
            action: options.action.clone().ok_or_else(missing)?,
            resource: options.resource.clone().unwrap_or_else(|| "*".to_owned()),
            resource_account: options.resource_account.clone(),
            context,
            given,
            notes: Vec::new(),
        });
    };
    let (data, cipher) = audit::open(options.options.data.clone(), &options.options.secrets)?;
    let mut question = event::question(&data.audit(), &cipher, event_id)?;
    let session = question.given.session.take();
    question.given = given;
    question.given.session = question.given.session.or(session);
    // What is said now counts before what was recorded, whatever its case.
    for (key, values) in context {
        question.context.retain(|known, _| !known.eq_ignore_ascii_case(&key));
        question.context.insert(key, values);
    }
    Ok(question)
}

fn given(options: &ExplainOptions) -> Result<GivenPolicies, Failure> {
    let all = |paths: &[PathBuf]| {
        paths.iter().map(|path| read(path)).collect::<Result<Vec<Given>, Failure>>()
    };
    let one = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
    let levels = |levels: &[String]| {
        let level = |names: &String| all(&names.split(',').map(PathBuf::from).collect::<Vec<_>>());
        levels.iter().map(level).collect::<Result<Vec<Vec<Given>>, Failure>>()
    };
    let session = all(&options.session_policy)?;
    Ok(GivenPolicies {
        identity: all(&options.policy)?,
        boundary: one(&options.boundary)?,
        session: (!session.is_empty()).then_some(session),
        service_control: levels(&options.scp)?,
        resource_control: levels(&options.rcp)?,
        resource: one(&options.resource_policy)?,
    })
}

/// `KEY=VALUE`; a key that stands more than once has more than one value.
fn context(pairs: &[String]) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("--context {pair}: write a condition key as KEY=VALUE"))?;
        context.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Ok(context)
}
