//! Calls of one kind each: a key of every spec, and what is done with it again and again.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use haechi_crypto::KeySpec;
use serde_json::{Value, json};

use crate::Failure;
use crate::connection::{Connection, Connector};
use crate::request::{Requests, Service};
use crate::target::{Call, Target, read, write};

/// The message of every signature and tag.
pub const MESSAGE: &[u8; 32] = b"a message as long as its digest!";

/// Bytes of the long plaintext.
pub const LONG: usize = 4096;

/// Options of `calls`.
#[derive(Args)]
pub struct Options {
    /// The target file; the calls are added to it.
    #[arg(long)]
    target: PathBuf,
}

/// Makes the keys and writes the calls; prints their names.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let mut target: Target = read(&options.target)?;
    let connection = Connector::new(&target.ready, true)?.connect().await?;
    let requests = Requests::new(&target.ready, "kms");
    let mut maker = Maker { connection, requests, calls: Vec::new() };
    let first = target.key_ids.first().ok_or("the target has no key")?.clone();
    maker.symmetric(&first).await?;
    for spec in KeySpec::ALL {
        maker.spec(spec).await?;
    }
    let pairs = KeySpec::ALL.into_iter().filter(|spec| spec.is_data_key_pair());
    for spec in pairs.map(KeySpec::name) {
        maker.add("GenerateDataKeyPair", spec, &json!({ "KeyId": first, "KeyPairSpec": spec }));
    }
    target.calls = maker.calls;
    write(&options.target, &target)?;
    let names: Vec<&str> = target.calls.iter().map(|call| call.name.as_str()).collect();
    println!("{}", json!({ "calls": names }));
    Ok(())
}

struct Maker {
    connection: Connection,
    requests: Requests,
    calls: Vec<Call>,
}

impl Maker {
    /// A call whose name is `Operation SPEC`.
    fn add(&mut self, operation: &str, what: &str, body: &Value) {
        self.calls.push(Call {
            name: format!("{operation} {what}"),
            service: Service::Kms,
            operation: operation.to_owned(),
            body: body.to_string(),
        });
    }

    async fn symmetric(&mut self, key_id: &str) -> Result<(), Failure> {
        let encrypt = json!({ "KeyId": key_id, "Plaintext": STANDARD.encode([b'p'; LONG]) });
        let sealed = self.ask("Encrypt", &encrypt).await?;
        self.add("Encrypt", "4 KiB", &encrypt);
        let blob = text(&sealed, "CiphertextBlob")?;
        self.add("Decrypt", "4 KiB", &json!({ "CiphertextBlob": blob }));
        Ok(())
    }

    /// What keys of a spec do, each with the first algorithm that AWS lists.
    async fn spec(&mut self, spec: KeySpec) -> Result<(), Failure> {
        let message = STANDARD.encode(MESSAGE);
        if let Some(algorithm) = spec.mac_algorithm() {
            let key = self.key(spec, "GENERATE_VERIFY_MAC").await?;
            let call = json!({ "KeyId": key, "MacAlgorithm": algorithm, "Message": message });
            self.both(spec, ("GenerateMac", "VerifyMac"), "Mac", "Mac", call).await?;
        }
        if let Some(algorithm) = spec.signing_algorithms().first() {
            let key = self.key(spec, "SIGN_VERIFY").await?;
            let call =
                json!({ "KeyId": key, "SigningAlgorithm": algorithm.name(), "Message": message });
            self.both(spec, ("Sign", "Verify"), "Signature", "Signature", call).await?;
        }
        if spec.is_rsa() {
            let key = self.key(spec, "ENCRYPT_DECRYPT").await?;
            let call = json!({ "KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256" });
            let plaintext = json!({ "Plaintext": message });
            let (encrypt, blob) = (merged(&call, &plaintext), "CiphertextBlob");
            let made = self.ask("Encrypt", &encrypt).await?;
            self.add("Encrypt", spec.name(), &encrypt);
            let sealed = json!({ blob: text(&made, blob)? });
            self.add("Decrypt", spec.name(), &merged(&call, &sealed));
        }
        if spec.agrees_keys() {
            let key = self.key(spec, "KEY_AGREEMENT").await?;
            let public = self.ask("GetPublicKey", &json!({ "KeyId": key })).await?;
            let public = text(&public, "PublicKey")?;
            let call =
                json!({ "KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public });
            self.add("DeriveSharedSecret", spec.name(), &call);
        }
        if spec.encapsulates() {
            let key = self.key(spec, "ENCAPSULATE_DECAPSULATE").await?;
            let call = json!({ "KeyId": key, "EncapsulationAlgorithm": "ML_KEM" });
            let made = self.ask("Encapsulate", &call).await?;
            self.add("Encapsulate", spec.name(), &call);
            let blob = "SharedSecretCiphertextBlob";
            let sealed = json!({ blob: text(&made, blob)? });
            self.add("Decapsulate", spec.name(), &merged(&call, &sealed));
        }
        Ok(())
    }

    /// An operation, and the one that checks what it made.
    async fn both(
        &mut self,
        spec: KeySpec,
        (make, check): (&str, &str),
        made: &str,
        checked: &str,
        call: Value,
    ) -> Result<(), Failure> {
        let answer = self.ask(make, &call).await?;
        self.add(make, spec.name(), &call);
        let result = json!({ checked: text(&answer, made)? });
        self.add(check, spec.name(), &merged(&call, &result));
        Ok(())
    }

    async fn key(&mut self, spec: KeySpec, usage: &str) -> Result<String, Failure> {
        let wanted = json!({ "KeySpec": spec.name(), "KeyUsage": usage });
        let made = self.ask("CreateKey", &wanted).await?;
        let id = made.pointer("/KeyMetadata/KeyId").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| "CreateKey tells no KeyId".into())
    }

    async fn ask(&mut self, operation: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.requests.json(operation, &body.to_string())?;
        let answer = self.connection.call(&request).await?;
        if !answer.is_ok() {
            return Err(format!("{operation} was refused: {}", answer.text()).into());
        }
        Ok(serde_json::from_slice(answer.body)?)
    }
}

fn text(answer: &Value, member: &str) -> Result<String, Failure> {
    let text = answer.get(member).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("there is no {member} in {answer}").into())
}

/// The members of both.
fn merged(one: &Value, other: &Value) -> Value {
    let members = [one, other].into_iter().filter_map(Value::as_object).flatten();
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}
