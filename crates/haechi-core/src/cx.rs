//! One call.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use haechi_policy::RecordedRequest;
use haechi_wire::{Fault, OperationSchema, Timestamp};

use crate::made::{MadeCall, MadeCalls};
use crate::quota::{RequestMeter, Spending};
use crate::{AccountId, Caller, Env, Guardrails, Region};

/// Of an installation without organizations.
static NO_GUARDRAILS: LazyLock<Arc<Guardrails>> = LazyLock::new(Arc::default);

/// What the listener knows of a request.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// The request id, as answered.
    pub id: String,
    /// Where it came from.
    pub source_ip: IpAddr,
    /// The `User-Agent` header, cut to what CloudTrail keeps.
    pub user_agent: Option<String>,
    /// The `Host` header: how the caller reaches this server.
    pub host: Option<String>,
    /// The `Referer` header.
    pub referer: Option<String>,
    /// The `X-Amzn-Trace-Id` header: where the call stands in a trace of X-Ray.
    pub trace: Option<String>,
    /// Whether it came over TLS.
    pub secure_transport: bool,
    /// When it arrived.
    pub time: Timestamp,
}

/// A resource that a call touched, for its audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub account: String,
    /// Its type as CloudTrail names it, e.g. `AWS::KMS::Key`.
    pub kind: &'static str,
}

/// The resource on whose behalf a service acts for itself: `aws:SourceArn`, `aws:SourceAccount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its ARN, e.g. of the rule whose target is called.
    pub arn: String,
    /// The account that owns it.
    pub account: AccountId,
}

/// One call: who, where, when. Handlers get it and nothing else from outside.
pub struct Cx {
    /// Time, randomness, ids.
    pub env: Env,
    /// What the listener knows.
    pub request: Arc<RequestInfo>,
    /// The Region of the credential scope.
    pub region: Region,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// What is called.
    pub operation: &'static OperationSchema,
    via: Vec<&'static str>,
    source: Option<Source>,
    event_id: OnceLock<String>,
    resources: Mutex<Vec<Resource>>,
    details: Mutex<Details>,
    guardrails: OnceLock<Arc<Guardrails>>,
    meter: OnceLock<Arc<dyn RequestMeter>>,
    vouched: OnceLock<Arc<Caller>>,
    mfa: OnceLock<()>,
    refused: OnceLock<Refused>,
    made: OnceLock<MadeCalls>,
}

/// Members of `additionalEventData`, in their order.
pub type Details = Vec<(&'static str, String)>;

/// The request that was denied last, shared with the calls that this one makes.
type Refused = Arc<Mutex<Option<RecordedRequest>>>;

impl Cx {
    /// A call that is about to be handled.
    pub fn new(
        env: Env,
        request: impl Into<Arc<RequestInfo>>,
        region: Region,
        caller: Arc<Caller>,
        operation: &'static OperationSchema,
    ) -> Cx {
        let request = request.into();
        let (resources, guardrails) = (Mutex::new(Vec::new()), OnceLock::new());
        let (event_id, meter) = (OnceLock::new(), OnceLock::new());
        let (via, vouched, mfa) = (Vec::new(), OnceLock::new(), OnceLock::new());
        let (refused, made) = (OnceLock::new(), OnceLock::new());
        Cx {
            env,
            request,
            region,
            caller,
            operation,
            via,
            source: None,
            event_id,
            resources,
            details: Mutex::default(),
            guardrails,
            meter,
            vouched,
            mfa,
            refused,
            made,
        }
    }

    /// The same call by the one whom an identity provider vouches for: decisions are made on him,
    /// and the record tells of him. Of operations that need no signature, once they have verified
    /// what was presented instead.
    pub fn vouched(&self, caller: Caller) -> Cx {
        let caller = Arc::new(caller);
        self.vouched.get_or_init(|| Arc::clone(&caller));
        let (env, request, region) = (self.env.clone(), self.request.clone(), self.region.clone());
        let mut call = Cx::new(env, request, region, caller, self.operation);
        call.refused = self.shared_refused().into();
        call.made = self.shared_made().into();
        call.inherit(self);
        call
    }

    /// Whom the record tells of.
    pub fn recorded_caller(&self) -> &Arc<Caller> {
        self.vouched.get().unwrap_or(&self.caller)
    }

    /// Tells that the caller has shown a one-time password with this very call, which was verified.
    pub fn prove_mfa(&self) {
        self.mfa.get_or_init(|| ());
    }

    /// When the caller showed a one-time password: with this call, or for its session.
    pub fn mfa(&self) -> Option<Timestamp> {
        let session = || self.caller.session.as_ref().and_then(|session| session.mfa);
        self.mfa.get().map(|()| self.now()).or_else(session)
    }

    /// The call of another operation that a service (`ssm`, `s3`; EBS calls as `ec2`) makes on
    /// behalf of this call's caller. It has the caller's permissions and conditions see who asks
    /// for him: `aws:CalledVia`, `aws:ViaAWSService`, `kms:ViaService`. Only a service's own code
    /// can make one.
    pub fn forward(&self, operation: &'static OperationSchema, service: &'static str) -> Cx {
        let (env, request, region) = (self.env.clone(), self.request.clone(), self.region.clone());
        let mut call = Cx::new(env, request, region, Arc::clone(&self.caller), operation);
        call.via = [&*self.via, &[service]].concat();
        call.source.clone_from(&self.source);
        call.refused = self.shared_refused().into();
        call.made = self.shared_made().into();
        call.inherit(self);
        call
    }

    /// A call that a service (`events`) makes for itself, on behalf of a resource of a user's. Only
    /// the policy of what is called can allow it, and a resource control policy over it can deny it.
    /// Only a service's own code can make one.
    ///
    /// # Errors
    /// If randomness or the store fails.
    pub async fn by_service(
        env: &Env,
        region: Region,
        service: &str,
        source: Source,
        operation: &'static OperationSchema,
    ) -> Result<Cx, Fault> {
        let request = RequestInfo {
            id: env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: std::net::Ipv4Addr::LOCALHOST.into(),
            user_agent: None,
            host: None,
            referer: None,
            trace: None,
            secure_transport: true,
            time: env.now(),
        };
        let caller = Arc::new(Caller::service(service, source.account.clone()));
        let mut call = Cx::new(env.clone(), request, region, caller, operation);
        call.source = Some(source);
        if let Some(guardrails) = env.guardrails().await? {
            call.guard(guardrails);
        }
        Ok(call)
    }

    /// The resource on whose behalf a service acts for itself.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The services that call on behalf of the caller, the first one first; mostly none.
    pub fn via(&self) -> &[&'static str] {
        &self.via
    }

    /// What is laid over a call is laid over those that it makes.
    fn inherit(&self, from: &Cx) {
        if let Some(guardrails) = from.guardrails.get() {
            self.guard(Arc::clone(guardrails));
        }
        if let Some(meter) = from.meter.get() {
            self.meter(Arc::clone(meter));
        }
    }

    /// Counts the requests under each kind of key; the first that is given stays.
    pub fn meter(&self, meter: Arc<dyn RequestMeter>) {
        self.meter.get_or_init(|| meter);
    }

    /// Takes this request from the quota of the kind of key that it turned out to be for; of `one`
    /// of the kind, where each has a quota of its own.
    ///
    /// # Errors
    /// [`Fault::Throttled`] if nothing is left.
    pub fn spend(&self, kind: &str, one: &str) -> Result<(), Fault> {
        let Some(meter) = self.meter.get() else { return Ok(()) };
        meter.spend(&Spending {
            service: self.operation.service.name,
            operation: self.operation.name,
            kind,
            one,
            account: self.account().as_str(),
            region: self.region.as_str(),
            now: self.now(),
        })
    }

    /// Lays these guardrails over the call's decisions; the first that are laid stay.
    pub fn guard(&self, guardrails: Arc<Guardrails>) {
        self.guardrails.get_or_init(|| guardrails);
    }

    /// The guardrails of the call.
    pub fn guardrails(&self) -> &Guardrails {
        self.guardrails.get().unwrap_or(&NO_GUARDRAILS)
    }

    /// The caller's account.
    pub fn account(&self) -> &AccountId {
        &self.caller.account
    }

    /// When the call arrived: the one time that a handler decides by.
    pub fn now(&self) -> Timestamp {
        self.request.time
    }

    /// The ARN of a resource of this service, in the caller's account and this Region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (self.region.partition(), self.account());
        format!("arn:{partition}:{service}:{}:{account}:{resource}", self.region)
    }

    /// The id that the call's audit record is to have.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn event_id(&self) -> Result<&str, Fault> {
        if let Some(id) = self.event_id.get() {
            return Ok(id);
        }
        let id = self.env.uuid().map_err(Fault::internal)?.to_string();
        Ok(self.event_id.get_or_init(|| id))
    }

    /// Notes a resource for the audit record.
    pub fn note(&self, resource: Resource) {
        let mut noted = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.contains(&resource) {
            noted.push(resource);
        }
    }

    /// The resources noted.
    pub fn noted(&self) -> Vec<Resource> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The resources noted, at the end of the call.
    pub fn take_noted(&self) -> Vec<Resource> {
        std::mem::take(&mut self.resources.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells a detail that neither input nor output has, for `additionalEventData` of the audit
    /// record.
    pub fn tell(&self, name: &'static str, value: &str) {
        let mut details = self.details.lock().unwrap_or_else(PoisonError::into_inner);
        // A handler that runs anew tells anew.
        details.retain(|(known, _)| *known != name);
        details.push((name, value.to_owned()));
    }

    /// The details told, at the end of the call.
    pub fn take_told(&self) -> Details {
        std::mem::take(&mut self.details.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The details told.
    pub fn told(&self) -> Details {
        self.details.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shared_refused(&self) -> Refused {
        Arc::clone(self.refused.get_or_init(Refused::default))
    }

    pub(crate) fn shared_made(&self) -> MadeCalls {
        Arc::clone(self.made.get_or_init(MadeCalls::default))
    }

    /// The calls that services have made for this one, in their order.
    pub fn made(&self) -> Vec<MadeCall> {
        let Some(made) = self.made.get() else { return Vec::new() };
        made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`Self::made`], at the end of the call.
    pub fn take_made(&self) -> Vec<MadeCall> {
        let Some(made) = self.made.get() else { return Vec::new() };
        std::mem::take(&mut made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a request that was denied, so that the audit record can be explained.
    pub(crate) fn refuse(&self, request: RecordedRequest) {
        let refused = self.refused.get_or_init(Refused::default);
        *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
    }

    /// The request of this call, or of one that it made, that was denied last.
    pub fn refused(&self) -> Option<RecordedRequest> {
        self.refused.get()?.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The honest answer of an operation that is not done here.
    pub fn unsupported(&self) -> Fault {
        Fault::Unsupported {
            service: self.operation.service.name,
            operation: self.operation.name.to_owned(),
        }
    }

    /// The honest answer to a parameter that is not done, or to a value of one: `KmsKeyId`,
    /// `Protocol=sms`.
    pub fn unsupported_parameter(&self, parameter: &str) -> Fault {
        Fault::UnsupportedParameter {
            service: self.operation.service.name,
            operation: self.operation.name,
            parameter: parameter.to_owned(),
        }
    }

    /// Refuses the first parameter of these that is there: none of them is done.
    ///
    /// # Errors
    /// [`Fault::UnsupportedParameter`], which names it.
    pub fn refuse_parameters(&self, parameters: &[(&str, bool)]) -> Result<(), Fault> {
        match parameters.iter().find(|(_, is_there)| *is_there) {
            Some((name, _)) => Err(self.unsupported_parameter(name)),
            None => Ok(()),
        }
    }
}
