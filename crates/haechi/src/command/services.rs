//! `haechi services`: what is done and what is missing, from the router itself.

use std::process::ExitCode;

use crate::Failure;
use crate::cli::ServicesOptions;
use crate::stack::Stack;

/// Lists the operations.
///
/// # Errors
/// If the service named is not known.
pub fn run(options: ServicesOptions) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let router = runtime.block_on(Stack::in_memory())?.router;
    let mut found = serde_json::Map::new();
    for service in router.services() {
        if options.service.as_deref().is_some_and(|wanted| wanted != service.name) {
            continue;
        }
        let (done, missing): (Vec<&str>, Vec<&str>) =
            service.operations.iter().partition(|operation| router.has(service, operation));
        if !options.json {
            println!(
                "{} ({}): {} of {} operations",
                service.name,
                service.full_name,
                done.len(),
                service.operations.len()
            );
            for (state, operations) in [("done   ", &done), ("missing", &missing)] {
                if !operations.is_empty() {
                    println!("  {state}  {}", operations.join(" "));
                }
            }
            println!();
        }
        let entry =
            serde_json::json!({"name": service.full_name, "done": done, "missing": missing});
        found.insert(service.name.to_owned(), entry);
    }
    if let (Some(wanted), true) = (&options.service, found.is_empty()) {
        return Err(format!("there is no service `{wanted}`; `haechi services` lists them").into());
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    }
    Ok(ExitCode::SUCCESS)
}
