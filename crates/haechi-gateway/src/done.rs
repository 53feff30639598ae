//! A call that is done, but for its record, which has to be on disk before the answer leaves.
//!
//! Calls wait for the disk together, so each keeps only what is left to do: whatever else it held is
//! given back before and used again by the next call, while it is in the processor's cache.

use std::sync::Arc;

use haechi_core::{Intent, RequestInfo};
use haechi_wire::{Fault, Protocol, ServiceSchema};
use http::Response;
use http::request::Parts;
use tokio::time::Instant;

use crate::answer::{self, Body};
use crate::recorder;
use crate::serve::{Connection, Gateway};

/// What became of a request.
pub(crate) enum Handled {
    /// Nothing has to be recorded.
    Answered(Response<Body>),
    /// A call.
    Done(Done),
}

/// What was called, by whom, when.
pub(crate) struct Called {
    pub(crate) operation: &'static str,
    pub(crate) started: Instant,
    pub(crate) info: Arc<RequestInfo>,
}

/// A call that waits for its record.
pub(crate) struct Done {
    pub(crate) called: Called,
    pub(crate) service: &'static ServiceSchema,
    pub(crate) protocol: Protocol,
    /// What is to be recorded, or why that cannot be told.
    pub(crate) records: Result<Vec<Vec<u8>>, Fault>,
    pub(crate) intent: Option<Arc<Intent>>,
    /// Whether the call was begun: not where the log was known to be broken.
    pub(crate) is_begun: bool,
    pub(crate) response: Response<Body>,
    /// The error code to count, or `OK`.
    pub(crate) code: &'static str,
}

impl From<Response<Body>> for Handled {
    fn from(response: Response<Body>) -> Handled {
        Handled::Answered(response)
    }
}

impl Gateway {
    /// Answers one request whose body has been read. Once begun it must be polled to its end.
    pub async fn answer(
        &self,
        connection: &Connection,
        parts: &Parts,
        body: &[u8],
    ) -> Response<Body> {
        self.settle(self.handle(connection, parts, body).await).await
    }

    /// Puts the record on disk, and answers.
    pub(crate) async fn settle(&self, handled: Handled) -> Response<Body> {
        let Done { called, service, protocol, records, intent, is_begun, response, code } =
            match handled {
                Handled::Answered(response) => return response,
                Handled::Done(done) => done,
            };
        let recorded = match records {
            Ok(records) => recorder::write(records, &*self.audit).await,
            Err(fault) => Err(fault),
        };
        let intent = self.intents.as_ref().zip(intent.as_ref());
        let (response, code) = match recorded {
            Ok(()) => {
                if let Some((intents, intent)) = intent {
                    intents.settle(intent);
                }
                (response, code)
            }
            Err(fault) => {
                let id = called.info.id.as_str();
                tracing::error!(request = id, error = ?fault, "a call could not be audited");
                if let Some((intents, intent)) = intent {
                    intents.owe(intent);
                }
                // Where nothing was done, that is what is said.
                if is_begun {
                    let problem = fault.into();
                    let told = answer::problem(&problem, protocol, service.xml_namespace, id);
                    (told, problem.code(protocol))
                } else {
                    (response, code)
                }
            }
        };
        self.metrics.called(service.name, called.operation, code, called.started.elapsed());
        response
    }
}
