//! Terraform itself with AWS's own provider, both unchanged: what a configuration says comes to be,
//! the plan after it is empty, a changed one is applied in place, and nothing is left in the end.
//!
//! Neither can be had from a package registry, so nobody installs them: these tests run where
//! `TERRAFORM_PROVIDERS` names a folder as `terraform providers mirror` lays it out, and `terraform`
//! is on the path (operating.md, "Terraform"). The requests are replayed everywhere by
//! `scripts/terraform.py`.

use std::path::{Path, PathBuf};

use haechi_conformance::{Launch, Outcome, Server, outcome, program, python};

/// What a plan that would change something exits with.
const CHANGES: i32 = 2;

struct Project<'a> {
    server: &'a Server,
    folder: PathBuf,
    settings: PathBuf,
}

impl<'a> Project<'a> {
    /// A copy of `tests/terraform/NAME`, initialised.
    fn new(server: &'a Server, name: &str) -> Project<'a> {
        let mirror = std::env::var("TERRAFORM_PROVIDERS")
            .expect("TERRAFORM_PROVIDERS is the folder of a mirror that has hashicorp/aws");
        let folder = server.scratch();
        let settings = folder.join("terraform.rc");
        let path = serde_json::Value::from(mirror);
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    \
             path = {path}\n  }}\n}}\n"
        );
        std::fs::write(&settings, text).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform").join(name);
        std::fs::copy(source.join("main.tf"), folder.join("main.tf")).unwrap();
        let project = Project { server, folder, settings };
        project.run("init", &[]).ok();
        project
    }

    /// As `haechi exec` sets the environment, and nothing beside it.
    fn run(&self, command: &str, options: &[&str]) -> Outcome {
        let settings = format!("TF_CLI_CONFIG_FILE={}", self.settings.display());
        let folder = format!("-chdir={}", self.folder.display());
        let mut line = vec!["env", &settings, "terraform", &folder, command];
        line.extend(["-no-color", "-input=false"]);
        line.extend(options);
        self.server.exec(&line)
    }

    /// Applies, and asserts that the plan after it is empty.
    fn apply(&self, options: &[&str]) {
        let approved = [&["-auto-approve"], options].concat();
        let told = self.run("apply", &approved).ok();
        assert!(told.contains("Apply complete!"), "{told}");
        let exact = [&["-detailed-exitcode"], options].concat();
        let plan = self.run("plan", &exact);
        assert_ne!(plan.code, Some(CHANGES), "the plan is not empty:\n{}", plan.stdout);
        plan.ok();
    }

    fn destroy(&self, options: &[&str]) {
        let approved = [&["-auto-approve"], options].concat();
        let told = self.run("destroy", &approved).ok();
        assert!(told.contains("Destroy complete!"), "{told}");
    }
}

const CHANGED: &[&str] = &["-var=changed=true"];

#[test]
#[ignore = "needs terraform and the AWS provider: TERRAFORM_PROVIDERS"]
fn terraform_applies_changes_and_destroys_identities_and_keys_without_drift() {
    let server = Launch::new().start();
    let project = Project::new(&server, "identity");
    project.apply(&[]);
    project.apply(CHANGED);
    project.destroy(CHANGED);
    let left = |arguments: &[&str]| server.aws(arguments).ok();
    for (list, what) in [
        ("list-users", "Users"),
        ("list-groups", "Groups"),
        ("list-instance-profiles", "InstanceProfiles"),
    ] {
        let none = format!("{what}[].Arn");
        assert_eq!(left(&["iam", list, "--query", &none, "--output", "text"]), "", "{list}");
    }
}

#[test]
#[ignore = "needs terraform and the AWS provider: TERRAFORM_PROVIDERS"]
fn terraform_applies_changes_and_destroys_what_is_built_on_them_without_drift() {
    let server = Launch::new().start();
    let zip = server.scratch().join("function.zip");
    let code = server.scratch().join("index.js");
    std::fs::write(&code, "exports.handler = async () => ({ ok: true });").unwrap();
    outcome(program(python()).args(["-m", "zipfile", "-c"]).args([&zip, &code])).ok();
    let project = Project::new(&server, "services");
    project.apply(&[]);
    project.apply(CHANGED);
    project.destroy(CHANGED);
    let topics = server.aws(&["sns", "list-topics", "--query", "Topics[].TopicArn"]);
    assert_eq!(topics.ok(), "[]");
}
