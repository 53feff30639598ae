//! From an operation's name to its handler.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::BuildHasher;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use foldhash::fast::RandomState;
use haechi_wire::decode::{InputError, input};
use haechi_wire::{Fault, OperationSchema, Problem, Reader, ServiceSchema, Shape, Writer};
use tokio::sync::{Mutex, MutexGuard};

use crate::regions::{Regions, is_regional};
use crate::{Cx, Documents, GuardrailSource, Handle, Operation, Region};

/// How often a handler is run when another write came between its read and its own.
const ATTEMPTS: u32 = 32;

/// Attempts after which it waits before the next: whoever is in its way is on another node.
const PATIENT_AFTER: u32 = 4;

/// The longest such wait, in milliseconds.
const WAIT_MS_MAX: u64 = 32;

/// Places in which calls wait for their turn.
const TURNS: usize = 64;

/// All operations that are mounted. A clone knows those that were mounted until it was made.
#[derive(Clone, Default)]
pub struct Router {
    services: BTreeMap<&'static str, &'static ServiceSchema>,
    endpoints: HashMap<(&'static str, &'static str), Arc<dyn Endpoint>, RandomState>,
    unsigned: Vec<(&'static str, &'static [&'static str])>,
    open: Vec<(&'static ServiceSchema, &'static [&'static str])>,
    documents: Vec<(&'static str, Arc<dyn Documents>)>,
    bodies: Vec<(&'static str, usize)>,
    guardrails: GuardrailSlot,
    turns: Arc<Turns>,
    regions: RegionSlot,
}

/// Calls of one operation in one account whose writes met take turns: so each is met by newcomers
/// only, and however many there are, all come through.
struct Turns {
    places: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let places = (0..TURNS).map(|_| Mutex::default()).collect();
        Turns { places, hasher: RandomState::default() }
    }
}

impl Turns {
    async fn take(&self, cx: &Cx) -> Option<MutexGuard<'_, ()>> {
        let hash = self.hasher.hash_one((cx.account().as_str(), cx.operation.name));
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose a place")]
        let place = self.places.get(hash as usize % TURNS)?;
        Some(place.lock().await)
    }
}

/// Who knows which Regions are served here, as [`GuardrailSlot`].
type RegionSlot = Arc<OnceLock<Arc<dyn Regions>>>;

/// Who knows the guardrails: named once, and known to all handlers, also to those mounted before.
type GuardrailSlot = Arc<OnceLock<Arc<dyn GuardrailSource>>>;

/// An operation with its handler, types erased.
pub trait Endpoint: Send + Sync {
    /// What the model says of it.
    fn schema(&self) -> &'static OperationSchema;

    /// Reads an input; the result is ready to run.
    ///
    /// # Errors
    /// If the body cannot be read or breaks a constraint of the model.
    fn decode(&self, reader: &mut dyn Reader) -> Result<Box<dyn Call>, InputError>;
}

/// A decoded call that has not been run yet.
pub trait Call: Send {
    /// Writes the input: for the audit record.
    fn write_input(&self, writer: &mut dyn Writer);
    /// Runs the handler.
    fn run<'a>(self: Box<Self>, cx: &'a Cx) -> Running<'a>;
}

/// A handler at work.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Answer>, Problem>> + Send + 'a>>;

/// An output, types erased.
pub trait Answer: Send + Sync {
    /// The operation that answers.
    fn schema(&self) -> &'static OperationSchema;
    /// Writes it.
    fn write(&self, writer: &mut dyn Writer);
}

impl Router {
    /// Declares a service, so that its missing operations can be listed.
    pub fn service(&mut self, schema: &'static ServiceSchema) {
        self.services.insert(schema.name, schema);
    }

    /// Lays the guardrails of `source` over every call.
    pub fn guard(&mut self, source: Arc<dyn GuardrailSource>) {
        self.guardrails.get_or_init(|| source);
    }

    /// Refuses calls for Regions that are served elsewhere.
    pub fn serve_only(&mut self, regions: Arc<dyn Regions>) {
        self.regions.get_or_init(|| regions);
    }

    /// Mounts one operation.
    pub fn mount<Op: Operation, S: Handle<Op>>(&mut self, service: &Arc<S>) {
        let endpoint = Mounted::<Op, S> {
            service: Arc::clone(service),
            guardrails: Arc::clone(&self.guardrails),
            turns: Arc::clone(&self.turns),
            regions: Arc::clone(&self.regions),
            operation: PhantomData,
        };
        let key = (Op::SCHEMA.service.name, Op::SCHEMA.name);
        self.endpoints.insert(key, Arc::new(endpoint));
    }

    /// Declares the operations of a service that the model lets anybody call without a signature.
    /// What they must present instead, they check themselves.
    pub fn unsigned(&mut self, service: &ServiceSchema, operations: &'static [&'static str]) {
        self.unsigned.push((service.name, operations));
    }

    /// Whether an operation is called without a signature.
    pub fn is_unsigned(&self, service: &ServiceSchema, operation: &str) -> bool {
        let mut declared = self.unsigned.iter().filter(|(name, _)| *name == service.name);
        declared.any(|(_, operations)| operations.contains(&operation))
    }

    /// Lets a service take larger bodies than others, of so many bytes: Lambda's code.
    pub fn take_bodies(&mut self, service: &ServiceSchema, bytes_max: usize) {
        self.bodies.push((service.name, bytes_max));
    }

    /// The largest body that a service takes, if it is not the usual one.
    pub fn body_bytes_max(&self, service: &ServiceSchema) -> Option<usize> {
        let own = self.bodies.iter().find(|(name, _)| *name == service.name);
        own.map(|(_, bytes_max)| *bytes_max)
    }

    /// Declares the operations of a service that anybody may call by a link, without a signature;
    /// a call that bears one is verified all the same. What a link must show instead, they check
    /// themselves.
    pub fn open(&mut self, service: &'static ServiceSchema, operations: &'static [&'static str]) {
        self.open.push((service, operations));
    }

    /// The service with this operation, if it may be called by a link.
    pub fn opened(&self, operation: &str) -> Option<&'static ServiceSchema> {
        let opened = self.open.iter().find(|(_, operations)| operations.contains(&operation));
        opened.map(|(service, _)| *service)
    }

    /// Shows files to anybody, at paths that begin so.
    pub fn document(&mut self, prefix: &'static str, documents: Arc<dyn Documents>) {
        self.documents.push((prefix, documents));
    }

    /// Who may have a file at this path.
    pub fn documents(&self, path: &str) -> Option<&Arc<dyn Documents>> {
        let found = self.documents.iter().find(|(prefix, _)| path.starts_with(prefix));
        found.map(|(_, documents)| documents)
    }

    /// The services, by name.
    pub fn services(&self) -> impl Iterator<Item = &'static ServiceSchema> {
        self.services.values().copied()
    }

    /// A service by its name in credential scopes.
    pub fn named(&self, service: &str) -> Option<&'static ServiceSchema> {
        self.services.get(service).copied()
    }

    /// The handler of an operation.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] for an operation that the model has and haechi lacks,
    /// [`Fault::UnknownOperation`] for any other.
    pub fn endpoint(
        &self,
        service: &'static ServiceSchema,
        operation: &str,
    ) -> Result<&Arc<dyn Endpoint>, Fault> {
        // The map wants names that live as long as the program; the model's own do.
        let known = service.operations.iter().find(|known| **known == operation);
        match known {
            None => Err(Fault::UnknownOperation(operation.to_owned())),
            Some(known) => self.endpoints.get(&(service.name, *known)).ok_or_else(|| {
                Fault::Unsupported { service: service.name, operation: operation.to_owned() }
            }),
        }
    }

    /// Whether an operation is mounted.
    pub fn has(&self, service: &'static ServiceSchema, operation: &'static str) -> bool {
        self.endpoints.contains_key(&(service.name, operation))
    }
}

struct Mounted<Op, S> {
    service: Arc<S>,
    guardrails: GuardrailSlot,
    turns: Arc<Turns>,
    regions: RegionSlot,
    operation: PhantomData<fn() -> Op>,
}

impl<Op: Operation, S: Handle<Op>> Endpoint for Mounted<Op, S> {
    fn schema(&self) -> &'static OperationSchema {
        Op::SCHEMA
    }

    fn decode(&self, reader: &mut dyn Reader) -> Result<Box<dyn Call>, InputError> {
        let input = input::<Op::Input>(reader, Op::SCHEMA.input)?;
        let (service, guardrails) = (Arc::clone(&self.service), Arc::clone(&self.guardrails));
        let turns = Arc::clone(&self.turns);
        let regions = Arc::clone(&self.regions);
        Ok(Box::new(Decoded::<Op, S> { service, guardrails, turns, regions, input }))
    }
}

struct Decoded<Op: Operation, S> {
    service: Arc<S>,
    guardrails: GuardrailSlot,
    turns: Arc<Turns>,
    regions: RegionSlot,
    input: Op::Input,
}

impl<Op: Operation, S: Handle<Op>> Call for Decoded<Op, S> {
    fn write_input(&self, writer: &mut dyn Writer) {
        self.input.write(writer, Op::SCHEMA.input);
    }

    fn run<'a>(self: Box<Self>, cx: &'a Cx) -> Running<'a> {
        Box::pin(async move {
            let Decoded { service, guardrails, turns, regions, input } = *self;
            if is_regional(Op::SCHEMA.service.name)
                && let Some(place) = regions.get().and_then(|map| map.elsewhere(&cx.region))
            {
                return Err(served_elsewhere(&cx.region, &place).into());
            }
            if let Some(source) = guardrails.get() {
                cx.guard(source.guardrails().await?);
            }
            // What only reads cannot conflict, and need not keep its input.
            if Op::SCHEMA.read_only {
                return answer::<Op>(service.handle(cx, input).await);
            }
            let mut decided = answer::<Op>(service.handle(cx, input.clone()).await);
            if !met(&decided) {
                return decided;
            }
            let _turn = turns.take(cx).await;
            for attempt in 1..ATTEMPTS {
                decided = answer::<Op>(service.handle(cx, input.clone()).await);
                if !met(&decided) {
                    break;
                }
                if let Some(doublings) = attempt.checked_sub(PATIENT_AFTER) {
                    let wait = (1 << doublings.min(16)).min(WAIT_MS_MAX);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
            }
            decided
        })
    }
}

/// Whether another write came between.
fn met(decided: &Result<Box<dyn Answer>, Problem>) -> bool {
    matches!(decided, Err(Problem::Fault(Fault::Conflict)))
}

/// As AWS refuses a signature for a Region that an endpoint is not of, with where to ask.
fn served_elsewhere(region: &Region, place: &str) -> Fault {
    Fault::Authentication {
        document_code: "InvalidSignatureException",
        xml_code: "SignatureDoesNotMatch",
        status: 403,
        message: format!(
            "Credential should be scoped to a valid region. Region {region} is served {place}."
        ),
    }
}

fn answer<Op: Operation>(
    outcome: Result<Op::Output, Op::Error>,
) -> Result<Box<dyn Answer>, Problem> {
    match outcome {
        Ok(output) => Ok(Box::new(Output::<Op>(output))),
        Err(error) => Err(error.into()),
    }
}

struct Output<Op: Operation>(Op::Output);

impl<Op: Operation> Answer for Output<Op> {
    fn schema(&self) -> &'static OperationSchema {
        Op::SCHEMA
    }

    fn write(&self, writer: &mut dyn Writer) {
        self.0.write(writer, Op::SCHEMA.output);
    }
}

#[cfg(test)]
mod tests;
