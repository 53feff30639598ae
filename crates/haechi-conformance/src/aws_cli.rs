//! The AWS CLI without its start: `tests/scripts/aws_cli.py` has loaded it and forks for each command.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::client::{Outcome, program, python, script};

/// A process that has the CLI loaded. It ends when this one does, for then its input ends.
struct Loaded {
    _child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Those that nobody uses now; tests that run at the same time have one each.
static IDLE: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// Runs a command of the AWS CLI: its arguments and what it sets of the environment count.
pub(crate) fn outcome(command: &Command) -> Outcome {
    let idle = IDLE.lock().unwrap().pop();
    let mut loaded = idle.unwrap_or_else(Loaded::start);
    let answer = loaded.run(command);
    IDLE.lock().unwrap().push(loaded);
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    let code = answer["code"].as_i64().map(|code| i32::try_from(code).unwrap());
    Outcome {
        success: code == Some(0),
        code,
        stdout: text("stdout").trim_end().to_owned(),
        stderr: text("stderr"),
    }
}

impl Loaded {
    fn start() -> Loaded {
        let mut python = program(python());
        python.arg(script("aws_cli.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Loaded { _child: child, commands, answers }
    }

    fn run(&mut self, command: &Command) -> Value {
        let text = |text: &std::ffi::OsStr| Value::from(text.to_str().unwrap());
        let arguments: Vec<Value> = command.get_args().map(text).collect();
        let environment: Map<String, Value> = command
            .get_envs()
            .map(|(name, value)| {
                (name.to_str().unwrap().to_owned(), value.map_or(Value::Null, text))
            })
            .collect();
        let command = json!({ "arguments": arguments, "environment": environment });
        writeln!(self.commands, "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: `{answer}`"))
    }
}
