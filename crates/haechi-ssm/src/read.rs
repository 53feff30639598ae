//! From what a caller names to what he may see.

use std::sync::Arc;

use haechi_core::{Cx, Loaded, Resource};
use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::{Parameter, ParameterType};
use haechi_wire::{Fault, SecretString, Timestamp};
use zeroize::Zeroizing;

use crate::Ssm;
use crate::authz::Wanted;
use crate::error::{not_found, version_not_found};
use crate::name::{self, Name, Reference, Selector, arn};
use crate::public;
use crate::secrets;
use crate::store::{ParameterRecord, Place, VersionRecord};

/// A parameter that the caller may have, if it is there.
pub(crate) struct Found {
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) parameter: Option<Arc<ParameterRecord>>,
}

/// The caller's own parameters.
pub(crate) fn place(cx: &Cx) -> Place<'_> {
    Place { account: cx.account().as_str(), region: cx.region.as_str() }
}

/// Notes a parameter for the audit record.
pub(crate) fn note(cx: &Cx, arn: &str, account: &str) {
    let (arn, account) = (arn.to_owned(), account.to_owned());
    cx.note(Resource { arn, account, kind: "AWS::SSM::Parameter" });
}

impl Ssm {
    /// A parameter to look at.
    pub(crate) async fn find(
        &self,
        place: Place<'_>,
        name: &Name,
    ) -> Result<Option<Arc<ParameterRecord>>, Fault> {
        self.database.cached(&place.parameter(name), |record: ParameterRecord| Ok(record)).await
    }

    /// A parameter to write.
    pub(crate) async fn load(
        &self,
        place: Place<'_>,
        name: &Name,
    ) -> Result<Option<Loaded<ParameterRecord>>, Fault> {
        self.database.load(&place.parameter(name)).await
    }

    /// The caller's own parameter, to write, once he is allowed the operation's action on it.
    pub(crate) async fn own(
        &self,
        cx: &Cx,
        text: &str,
    ) -> Result<(Name, Option<Loaded<ParameterRecord>>), Error> {
        let name = Reference::read(cx, text)?;
        if name.account.is_some() || name.selector.is_some() {
            return Err(not_found());
        }
        let name = name.name;
        let loaded = self.load(place(cx), &name).await?;
        let account = cx.account().as_str();
        let arn = arn(cx, account, &name);
        Wanted::on(&arn, account, loaded.as_ref().map(|loaded| &loaded.value)).allow(cx)?;
        note(cx, &arn, account);
        Ok((name, loaded))
    }

    /// The parameter of a reference, once the caller is allowed the operation's action on it.
    pub(crate) async fn allowed(&self, cx: &Cx, reference: &Reference) -> Result<Found, Error> {
        let account = reference.account.as_deref().unwrap_or(cx.account().as_str());
        let place = Place { account, region: cx.region.as_str() };
        let parameter = self.find(place, &reference.name).await?;
        let arn = arn(cx, account, &reference.name);
        Wanted::on(&arn, account, parameter.as_deref()).allow(cx)?;
        note(cx, &arn, account);
        Ok(Found { arn, account: account.to_owned(), parameter })
    }

    /// What `GetParameter` answers for a name.
    pub(crate) async fn read(
        &self,
        cx: &Cx,
        text: &str,
        with_decryption: bool,
    ) -> Result<Parameter, Error> {
        if let Some(secret) = secrets::named(text) {
            return self.secret(cx, secret, with_decryption).await;
        }
        let reference = Reference::read(cx, text)?;
        if public::is_public_name(&reference.name) {
            let levels: Vec<String> = reference.name.levels().map(str::to_owned).collect();
            let arn = public::arn(cx, &levels);
            Wanted::on(&arn, cx.account().as_str(), None).allow(cx)?;
            return self.public.find(cx, &reference.name).ok_or_else(not_found);
        }
        let found = self.allowed(cx, &reference).await?;
        let parameter = found.parameter.as_ref().ok_or_else(not_found)?;
        let place = Place { account: &found.account, region: cx.region.as_str() };
        let version = self.select(place, parameter, reference.selector.as_ref()).await?;
        let mut shown = self.shown(cx, &found.arn, parameter, &version, with_decryption).await?;
        shown.selector = reference.selector.as_ref().map(Selector::shown);
        if reference.account.is_none() {
            // With or without a slash, as it was asked for; by an ARN, as it was put.
            shown.name = text.trim().split(':').next().map(str::to_owned);
        }
        Ok(shown)
    }

    /// The version that a selector chooses.
    async fn select(
        &self,
        place: Place<'_>,
        parameter: &ParameterRecord,
        selector: Option<&Selector>,
    ) -> Result<Arc<VersionRecord>, Error> {
        let (number, text) = match selector {
            None => return Ok(Arc::clone(&parameter.current)),
            Some(Selector::Version(version)) => (Some(*version), version.to_string()),
            Some(Selector::Label(label)) => (parameter.labels.get(label).copied(), label.clone()),
        };
        let version = match number {
            Some(number) => self.version(place, parameter, number).await?,
            None => None,
        };
        version.ok_or_else(|| version_not_found(&text, &parameter.name))
    }

    /// A version by its number.
    pub(crate) async fn version(
        &self,
        place: Place<'_>,
        parameter: &ParameterRecord,
        number: i64,
    ) -> Result<Option<Arc<VersionRecord>>, Fault> {
        if number == parameter.current.version {
            return Ok(Some(Arc::clone(&parameter.current)));
        }
        let path = place.version(&parameter.id, number);
        self.database.cached(&path, |record: VersionRecord| Ok(record)).await
    }

    /// A version's value, decrypted if it is to be.
    pub(crate) async fn value(
        &self,
        cx: &Cx,
        arn: &str,
        version: &VersionRecord,
        with_decryption: bool,
    ) -> Result<SecretString, Error> {
        let secure = version.kind == ParameterType::SecureString.as_str();
        if !(secure && with_decryption) {
            return Ok(SecretString(version.value.as_str().to_owned()));
        }
        let key_id = version.key_id.as_deref().unwrap_or_default();
        let mut opened: Zeroizing<Vec<u8>> = self.open(cx, arn, key_id, &version.value).await?;
        let text = String::from_utf8(std::mem::take(&mut *opened)).map_err(Fault::internal)?;
        Ok(SecretString(text))
    }

    /// A version as answers show it.
    pub(crate) async fn shown(
        &self,
        cx: &Cx,
        arn: &str,
        parameter: &ParameterRecord,
        version: &VersionRecord,
        with_decryption: bool,
    ) -> Result<Parameter, Error> {
        Ok(Parameter {
            name: Some(parameter.name.clone()),
            r#type: ParameterType::parse(&version.kind),
            value: Some(self.value(cx, arn, version, with_decryption).await?),
            version: Some(version.version),
            selector: None,
            source_result: None,
            last_modified_date: Some(Timestamp::from_millis(version.modified_ms)),
            arn: Some(arn.to_owned()),
            data_type: Some(version.data_type.clone()),
        })
    }

    /// A page's worth of names, each read; those that are not there are answered apart.
    pub(crate) async fn read_all(
        &self,
        cx: &Cx,
        names: &[String],
        with_decryption: bool,
    ) -> Result<(Vec<Parameter>, Vec<String>), Error> {
        let (mut parameters, mut missing) = (Vec::new(), Vec::new());
        for (at, text) in names.iter().enumerate() {
            if names.get(..at).is_some_and(|before| before.contains(text)) {
                continue;
            }
            match self.read(cx, text, with_decryption).await {
                Ok(parameter) => parameters.push(parameter),
                Err(Error::ParameterNotFound(_) | Error::ParameterVersionNotFound(_)) => {
                    missing.push(text.clone());
                }
                Err(other) => return Err(other),
            }
        }
        // "Listed in alphabetical order" (GetParameters).
        parameters.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((parameters, missing))
    }

    /// The ARN of a record's parameter.
    pub(crate) fn arn_of(&self, cx: &Cx, account: &str, parameter: &ParameterRecord) -> String {
        name::arn_of(&cx.region, account, &parameter.name)
    }
}
