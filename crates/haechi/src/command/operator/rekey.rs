//! `haechi operator rekey`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use haechi_crypto::SealConfig;
use haechi_crypto::seal::{SealMethod, SecretNeeded, read_secret_file};
use zeroize::Zeroizing;

use super::print_shares;
use crate::Failure;
use crate::cli::{AccountOptions, SealKind};
use crate::data::DataDirectory;
use crate::operator::Session;
use crate::operator::ask::{
    NewSeal, Prepared, RekeyAdopt, RekeyCommit, RekeyFinish, RekeyPrepare, Rekeyed,
};
use crate::terminal;

/// Changes the root key; with shares, only once the operator says that they are kept.
///
/// # Errors
/// If the new seal cannot be made, or the operator does not go on: the old root key counts then.
pub(super) async fn run(
    data: &DataDirectory,
    options: &AccountOptions,
    split: (Option<u8>, Option<u8>),
    new_secret_file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let now = SealConfig::load(data.path())?.ok_or("there is no root key yet: haechi serve")?;
    let seal = new_seal(&now, options, split, new_secret_file)?;
    let session = Session::begin(data, options).await?;
    let outcome = change(&session, seal).await;
    session.end().await?;
    let done = outcome?;
    println!("The root key was changed. New data is under the new one at once.");
    tell(done);
    Ok(ExitCode::SUCCESS)
}

/// Goes over to what another node has changed to.
///
/// # Errors
/// If it does not open: the old root key counts then.
pub(super) async fn adopt(
    data: &DataDirectory,
    options: &AccountOptions,
    folder: &Path,
    new_secret_file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let folder = std::path::absolute(folder)?;
    let missing = || format!("{} has no seal.json of the other node", folder.display());
    let secret = match SealConfig::load(&folder)?.ok_or_else(missing)?.secret_needed() {
        SecretNeeded::Nothing => None,
        SecretNeeded::Passphrase => Some(new_secret(new_secret_file, "Passphrase", false)?),
        SecretNeeded::Pin => Some(new_secret(new_secret_file, "PIN of the token", false)?),
        SecretNeeded::Shares(threshold) => {
            let shares = crate::unseal::shares(threshold)?;
            Some(Zeroizing::new(std::str::from_utf8(shares.expose())?.to_owned()))
        }
    };
    let session = Session::begin(data, options).await?;
    let outcome = session.ask(RekeyAdopt { folder, secret }).await;
    session.end().await?;
    let done = outcome?;
    println!("This node has gone over to the new root key.");
    tell(done);
    Ok(ExitCode::SUCCESS)
}

/// Ends a change without the nodes that do not run.
///
/// # Errors
/// If one that serves has another root key.
pub(super) async fn finish(
    data: &DataDirectory,
    options: &AccountOptions,
) -> Result<ExitCode, Failure> {
    let session = Session::begin(data, options).await?;
    let outcome = session.ask(RekeyFinish {}).await;
    session.end().await?;
    outcome?;
    println!("The root key of this node alone opens the records. Nodes that do not run need its");
    println!("seal.json, and what the root key lies in, before they start.");
    Ok(ExitCode::SUCCESS)
}

fn tell(done: Rekeyed) {
    let Rekeyed { old_root_key, new_root_key, behind } = done;
    if let Some(new) = new_root_key {
        println!("  new root key  {} (keep a copy apart from the data)", new.display());
    }
    let old = old_root_key.map(|old| format!(" ({})", old.display())).unwrap_or_default();
    println!("Backups made until now need the old root key{old}: keep it with them, and destroy");
    println!("it with the last of them. Make a new backup.");
    if !behind.is_empty() {
        println!("\nThe old root key opens the records until these nodes have gone over, too:");
        behind.iter().for_each(|node| println!("  {node}"));
        println!(
            "Copy seal.json, and what the new root key lies in, into a folder on each, and run"
        );
        println!("  haechi operator rekey --adopt FOLDER");
        println!(
            "there. Nodes that are stopped need them in their data directory before they start."
        );
    }
}

async fn change(session: &Session, seal: NewSeal) -> Result<Rekeyed, Failure> {
    let Prepared { seal, shares } = session.ask(RekeyPrepare { seal: Some(seal) }).await?;
    if let (Some(seal), false) = (seal, shares.is_empty()) {
        let shares = shares.iter().map(|share| share.as_bytes());
        print_shares(&seal, shares, &mut io::stdout().lock())?;
        let kept = terminal::answer("Type `kept` once every share is with its holder:");
        if !kept.is_ok_and(|typed| typed == "kept") {
            session.ask(RekeyPrepare { seal: None }).await?;
            return Err("nothing was changed: the shares shown are of no use".into());
        }
    }
    session.ask(RekeyCommit {}).await
}

/// What was asked for; where nothing was, the kind that is there.
fn new_seal(
    now: &SealConfig,
    options: &AccountOptions,
    (shares, threshold): (Option<u8>, Option<u8>),
    new_secret_file: Option<&Path>,
) -> Result<NewSeal, Failure> {
    let kind = options.secrets.seal.map_or_else(|| kind(now), Ok)?;
    if kind != SealKind::Shamir && (shares.is_some() || threshold.is_some()) {
        return Err("--shares and --threshold go with --seal shamir".into());
    }
    let secrets = &options.secrets;
    Ok(match (kind, now.method()) {
        (SealKind::File, _) => NewSeal::File,
        (SealKind::Passphrase, _) => {
            NewSeal::Passphrase(new_secret(new_secret_file, "New passphrase", true)?)
        }
        (SealKind::Shamir, now) => {
            let (was_shares, was_threshold) = match now {
                SealMethod::Shamir(now) => {
                    (u8::try_from(now.shares()).ok(), u8::try_from(now.threshold()).ok())
                }
                _ => (None, None),
            };
            let missing = "--seal shamir needs --shares N and --threshold K";
            let shares = shares.or(was_shares).ok_or(missing)?;
            NewSeal::Shamir { shares, threshold: threshold.or(was_threshold).ok_or(missing)? }
        }
        (SealKind::Pkcs11, now) => {
            let now = if let SealMethod::Pkcs11(now) = now { Some(now) } else { None };
            let module = secrets.pkcs11_module.clone().or(now.map(|now| now.module.clone()));
            let token = secrets.pkcs11_token.clone().or(now.map(|now| now.token_label.clone()));
            let key = secrets.pkcs11_key.clone().or(now.map(|now| now.key_label.clone()));
            let module = module.ok_or("--seal pkcs11 needs --pkcs11-module FILE")?;
            NewSeal::Pkcs11 {
                // The server stands elsewhere.
                module: std::path::absolute(module)?,
                token: token.ok_or("--seal pkcs11 needs --pkcs11-token LABEL")?,
                key: key.unwrap_or_else(|| "haechi-root".to_owned()),
                pin: new_secret(new_secret_file, "PIN of the new token", false)?,
            }
        }
    })
}

fn kind(seal: &SealConfig) -> Result<SealKind, Failure> {
    Ok(match seal.method() {
        SealMethod::File { .. } => SealKind::File,
        SealMethod::Passphrase(_) => SealKind::Passphrase,
        SealMethod::Pkcs11(_) => SealKind::Pkcs11,
        SealMethod::Shamir(_) => SealKind::Shamir,
        _ => return Err("this haechi does not know the present seal: say --seal KIND".into()),
    })
}

/// A new passphrase or PIN: from a file, else from a variable, else typed, twice if a slip of the
/// finger would lock everybody out.
fn new_secret(file: Option<&Path>, name: &str, twice: bool) -> Result<Zeroizing<String>, Failure> {
    let text = |bytes: &[u8]| -> Result<Zeroizing<String>, Failure> {
        Ok(Zeroizing::new(std::str::from_utf8(bytes)?.to_owned()))
    };
    if let Some(file) = file {
        return text(read_secret_file(file)?.expose());
    }
    if let Ok(value) = std::env::var("HAECHI_NEW_SECRET") {
        return Ok(Zeroizing::new(value));
    }
    let typed = terminal::secret_line(name)?;
    if twice && terminal::secret_line(&format!("{name}, once more"))? != typed {
        return Err("the two are not the same: nothing was changed".into());
    }
    text(typed.expose())
}
