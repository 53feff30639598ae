//! Makes what the load needs, through the API as any client would: an IAM user whose inline policy
//! allows KMS (so that the policy decision is the usual one, not root's), an access key, KMS keys.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use tokio::task::LocalSet;

use crate::Failure;
use crate::connection::{Connection, Connector};
use crate::request::Requests;
use crate::target::{Ready, Target, read, write};

/// Connections that create keys at once.
const CONNECTIONS: usize = 64;

/// Calls that one signed second is used for, so that signatures stay fresh.
const CALLS_PER_SIGNER: usize = 1000;

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
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22\
        Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
    let name = "Version=2010-05-08&UserName=bench";
    call(&mut connection, &iam.query(&format!("Action=CreateUser&{name}"))?).await?;
    let put = format!("Action=PutUserPolicy&{name}&PolicyName=kms&PolicyDocument={policy}");
    call(&mut connection, &iam.query(&put)?).await?;
    let made = iam.query(&format!("Action=CreateAccessKey&{name}"))?;
    let made = call(&mut connection, &made).await?;
    let user = Ready {
        access_key_id: element(&made, "AccessKeyId")?,
        secret_access_key: element(&made, "SecretAccessKey")?,
        ..root
    };
    let mut kms = Requests::new(&user, "kms");
    let key_id = create_key(&mut connection, &mut kms).await?;
    let plaintext = format!("{{\"KeyId\":\"{key_id}\",\"Plaintext\":\"{}=\"}}", "A".repeat(43));
    let encrypted = call(&mut connection, &kms.kms("Encrypt", &plaintext)?).await?;
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
    let (left, made) = (Rc::new(Cell::new(missing)), Rc::new(RefCell::new(Vec::new())));
    let connector = Connector::new(&target.ready, true)?;
    let (local, began) = (LocalSet::new(), Instant::now());
    let mut creating = Vec::new();
    for _ in 0..CONNECTIONS.min(missing) {
        let (left, made, ready) = (Rc::clone(&left), Rc::clone(&made), target.ready.clone());
        let mut connection = connector.connect().await?;
        creating.push(local.spawn_local(async move {
            while left.get() > 0 {
                let mut kms = Requests::new(&ready, "kms");
                for _ in 0..CALLS_PER_SIGNER {
                    if left.get() == 0 {
                        break;
                    }
                    left.set(left.get() - 1);
                    let key_id = create_key(&mut connection, &mut kms).await?;
                    made.borrow_mut().push(key_id);
                }
            }
            Ok::<_, Failure>(())
        }));
    }
    local.await;
    for ended in creating {
        ended.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    target.key_ids.extend(made.take());
    write(&options.target, &target)?;
    println!("{}", serde_json::json!({ "created": missing, "seconds": seconds }));
    Ok(())
}

async fn create_key(connection: &mut Connection, kms: &mut Requests) -> Result<String, Failure> {
    let answer = call(connection, &kms.kms("CreateKey", "{}")?).await?;
    member(&answer, "/KeyMetadata/KeyId")
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
