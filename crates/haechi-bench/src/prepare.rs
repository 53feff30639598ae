//! Makes what the load needs, through the API as any client would: an IAM user whose inline policy
//! allows KMS (so that the policy decision is the usual one, not root's), an access key, KMS keys.

use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use tokio::task::LocalSet;

use crate::Failure;
use crate::connection::{Connection, Connector};
use crate::request::{Requests, Service};
use crate::target::{Ready, Target, read, write};

/// Connections that create at once.
const CONNECTIONS: usize = 64;

/// Calls that one signed second is used for, so that signatures stay fresh.
const CALLS_PER_SIGNER: usize = 100;

/// Options of `prepare`.
#[derive(Args)]
pub struct PrepareOptions {
    /// The server's ready file.
    #[arg(long)]
    ready: PathBuf,
    /// Where to write the target.
    #[arg(long)]
    target: PathBuf,
}

/// Options of `seed`.
#[derive(Args)]
pub struct SeedOptions {
    /// The target file; the new keys' ids are added to it.
    #[arg(long)]
    target: PathBuf,
    /// The server's ready file, if the server was started anew.
    #[arg(long)]
    ready: Option<PathBuf>,
    /// Keys to have in all.
    #[arg(long)]
    keys: usize,
}

/// Makes user and key.
pub async fn run(options: &PrepareOptions) -> Result<(), Failure> {
    let root: Ready = read(&options.ready)?;
    let mut connection = Connector::new(&root, true)?.connect().await?;
    let mut iam = Requests::new(&Ready { region: "us-east-1".to_owned(), ..root.clone() }, "iam");
    let name = "Version=2010-05-08&UserName=bench";
    call(&mut connection, &iam.query(&format!("Action=CreateUser&{name}"))?).await?;
    allow(&root, "kms").await?;
    let made = iam.query(&format!("Action=CreateAccessKey&{name}"))?;
    let made = call(&mut connection, &made).await?;
    let user = Ready {
        access_key_id: element(&made, "AccessKeyId")?,
        secret_access_key: element(&made, "SecretAccessKey")?,
        ..root
    };
    let mut kms = Requests::to(&user, Service::Kms);
    let key_id = key_id(&call(&mut connection, &kms.json("CreateKey", "{}")?).await?)?;
    let plaintext = format!("{{\"KeyId\":\"{key_id}\",\"Plaintext\":\"{}=\"}}", "A".repeat(43));
    let encrypted = call(&mut connection, &kms.json("Encrypt", &plaintext)?).await?;
    let ciphertext = member(&encrypted, "/CiphertextBlob")?;
    let (key_ids, calls) = (vec![key_id], Vec::new());
    write(&options.target, &Target { ready: user, key_ids, ciphertext, calls })
}

/// Creates keys until there are as many as wanted.
pub async fn seed(options: &SeedOptions) -> Result<(), Failure> {
    let mut target: Target = read(&options.target)?;
    if let Some(ready) = &options.ready {
        let ready: Ready = read(ready)?;
        target.ready.endpoint = ready.endpoint;
    }
    let missing = options.keys.saturating_sub(target.key_ids.len());
    let began = Instant::now();
    let create = |_| ("CreateKey", "{}".to_owned());
    let made = at_once(&target.ready, Service::Kms, 0..missing, create, key_id).await?;
    let seconds = began.elapsed().as_secs_f64();
    target.key_ids.extend(made);
    write(&options.target, &target)?;
    println!("{}", serde_json::json!({ "created": missing, "seconds": seconds }));
    Ok(())
}

/// Makes a call for each number, on many connections at once; answers what `take` takes of the
/// answers, in no order.
pub async fn at_once(
    ready: &Ready,
    service: Service,
    numbers: Range<usize>,
    ask: impl Fn(usize) -> (&'static str, String) + 'static,
    take: fn(&str) -> Result<String, Failure>,
) -> Result<Vec<String>, Failure> {
    let (ask, connector) = (Rc::new(ask), Connector::new(ready, true)?);
    let connections = CONNECTIONS.min(numbers.len());
    let (numbers, taken) = (Rc::new(RefCell::new(numbers)), Rc::new(RefCell::new(Vec::new())));
    let local = LocalSet::new();
    let mut asking = Vec::new();
    for _ in 0..connections {
        let (numbers, taken, ask) = (Rc::clone(&numbers), Rc::clone(&taken), Rc::clone(&ask));
        let (ready, mut connection) = (ready.clone(), connector.connect().await?);
        asking.push(local.spawn_local(async move {
            let mut requests = Requests::to(&ready, service);
            let mut signed = 0;
            while let Some(number) = { numbers.borrow_mut().next() } {
                signed += 1;
                if signed % CALLS_PER_SIGNER == 0 {
                    requests = Requests::to(&ready, service);
                }
                let (operation, body) = ask(number);
                let answer = call(&mut connection, &requests.json(operation, &body)?).await?;
                taken.borrow_mut().push(take(&answer)?);
            }
            Ok::<_, Failure>(())
        }));
    }
    local.await;
    for ended in asking {
        ended.await??;
    }
    Ok(taken.take())
}

fn key_id(answer: &str) -> Result<String, Failure> {
    member(answer, "/KeyMetadata/KeyId")
}

/// Lets the user of the load do everything that a service has.
pub async fn allow(root: &Ready, service: &str) -> Result<(), Failure> {
    let mut connection = Connector::new(root, true)?.connect().await?;
    let mut iam = Requests::new(&Ready { region: "us-east-1".to_owned(), ..root.clone() }, "iam");
    let policy = format!(
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C\
         %22Action%22%3A%22{service}%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
    );
    let name = "Version=2010-05-08&UserName=bench";
    let put = format!("Action=PutUserPolicy&{name}&PolicyName={service}&PolicyDocument={policy}");
    call(&mut connection, &iam.query(&put)?).await?;
    Ok(())
}

async fn call(connection: &mut Connection, request: &[u8]) -> Result<String, Failure> {
    let answer = connection.call(request).await?;
    if answer.is_ok() {
        Ok(answer.text())
    } else {
        Err(format!("a call was refused: {}", answer.text()).into())
    }
}

/// A string of a JSON answer.
fn member(json: &str, pointer: &str) -> Result<String, Failure> {
    let value: serde_json::Value = serde_json::from_str(json)?;
    let text = value.pointer(pointer).and_then(|value| value.as_str());
    text.map(str::to_owned).ok_or_else(|| format!("{json}: there is no {pointer}").into())
}

/// The text of an element of an XML answer.
fn element(xml: &str, name: &str) -> Result<String, Failure> {
    let after = xml.split_once(&format!("<{name}>")).map(|(_, after)| after);
    let text = after.and_then(|after| after.split_once("</")).map(|(text, _)| text);
    text.map(str::to_owned).ok_or_else(|| format!("{xml}: there is no {name}").into())
}

#[cfg(test)]
mod tests {
    use super::{element, member};

    #[test]
    fn what_an_answer_lacks_is_said() {
        assert_eq!(element("<a><Id>x</Id></a>", "Id").unwrap(), "x");
        assert!(element("<a></a>", "Id").unwrap_err().to_string().contains("no Id"));
        assert!(member("{}", "/KeyId").unwrap_err().to_string().contains("no /KeyId"));
    }
}
