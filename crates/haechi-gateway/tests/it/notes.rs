//! A service that speaks REST with JSON: notes by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use haechi_core::{Cx, Handle, Operation, Router};
use haechi_wire::schema::{Location, Route, blob, member, string};
use haechi_wire::{Blob, Fault, OperationSchema, Protocol, Schema, ServiceSchema, structure};

haechi_wire::errors! { pub enum Error {
    NoSuchNote = ("NoSuchNoteException", 404 | "Message", r#type: "Type"),
} }

static NAME: Schema = string("Name").length(1, 100);
static BYTES: Schema = blob("Bytes");

structure! { pub struct PutNoteRequest as PUT_NOTE_REQUEST "PutNoteRequest" {
    required name: String = member("Name", &NAME).at(Location::Uri("Name")),
    optional text: String = member("Text", &NAME),
    optional colour: String = member("Colour", &NAME).at(Location::Query("colour")),
} }

structure! { pub struct PutNoteResponse as PUT_NOTE_RESPONSE "PutNoteResponse" {
    optional name: String = member("Name", &NAME),
    optional colour: String = member("Colour", &NAME).at(Location::Header("X-Colour")),
} }

structure! { pub struct GetNoteRequest as GET_NOTE_REQUEST "GetNoteRequest" {
    required name: String = member("Name", &NAME).at(Location::Uri("Name")),
} }

structure! { pub struct GetNoteResponse as GET_NOTE_RESPONSE "GetNoteResponse" {
    optional content: Blob = member("Content", &BYTES).at(Location::Payload),
} }

pub static SERVICE: ServiceSchema = ServiceSchema {
    name: "notes",
    full_name: "Notes",
    version: "2026-01-01",
    target_prefix: "",
    xml_namespace: "",
    protocols: &[Protocol::RestJson],
    operations: &["GetNote", "ListNotes", "PutNote"],
    routes: &[
        Route { operation: "GetNote", method: "GET", uri: "/notes/{Name}" },
        Route { operation: "ListNotes", method: "GET", uri: "/notes/" },
        Route { operation: "PutNote", method: "PUT", uri: "/notes/{Name}" },
    ],
    address: None,
};

struct PutNote;

impl Operation for PutNote {
    const SCHEMA: &'static OperationSchema = &OperationSchema {
        service: &SERVICE,
        name: "PutNote",
        action: "notes:PutNote",
        method: "PUT",
        uri: "/notes/{Name}",
        status: 201,
        input: &PUT_NOTE_REQUEST,
        output: &PUT_NOTE_RESPONSE,
        result_wrapper: None,
        read_only: false,
    };
    type Input = PutNoteRequest;
    type Output = PutNoteResponse;
    type Error = Error;
}

struct GetNote;

impl Operation for GetNote {
    const SCHEMA: &'static OperationSchema = &OperationSchema {
        service: &SERVICE,
        name: "GetNote",
        action: "notes:GetNote",
        method: "GET",
        uri: "/notes/{Name}",
        status: 200,
        input: &GET_NOTE_REQUEST,
        output: &GET_NOTE_RESPONSE,
        result_wrapper: None,
        read_only: true,
    };
    type Input = GetNoteRequest;
    type Output = GetNoteResponse;
    type Error = Error;
}

#[derive(Default)]
struct Notes(Mutex<BTreeMap<String, String>>);

impl Handle<PutNote> for Notes {
    async fn handle(&self, _: &Cx, input: PutNoteRequest) -> Result<PutNoteResponse, Error> {
        self.0.lock().unwrap().insert(input.name.clone(), input.text.unwrap_or_default());
        Ok(PutNoteResponse { name: Some(input.name), colour: input.colour })
    }
}

impl Handle<GetNote> for Notes {
    async fn handle(&self, _: &Cx, input: GetNoteRequest) -> Result<GetNoteResponse, Error> {
        if input.name == "secret" {
            return Err(Fault::AccessDenied("No.".to_owned()).into());
        }
        let found = self.0.lock().unwrap().get(&input.name).cloned();
        let absent = || Error::NoSuchNote(format!("No note {}", input.name), "User".to_owned());
        let content = Some(Blob(found.ok_or_else(absent)?.into_bytes()));
        Ok(GetNoteResponse { content })
    }
}

pub fn mount(router: &mut Router) {
    let notes = Arc::new(Notes::default());
    router.service(&SERVICE);
    router.take_bodies(&SERVICE, 6 << 20);
    router.mount::<PutNote, Notes>(&notes);
    router.mount::<GetNote, Notes>(&notes);
}
