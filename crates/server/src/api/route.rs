//! A line of the route table: what the router serves, what the document says, what the access test asks.

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::query::Param;
use crate::app::App;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Any active API token.
    AnyToken,
    /// A token of the account in the path.
    Account,
    /// The same, with the permission Realtime Admin.
    AccountAdmin,
    /// A token of the account in the path, for an app of that account.
    App,
    /// The same, also for an app that was deleted: its past stays readable.
    AppHistory,
    /// The same as `App`, or the token of a participant whose preset permits it, in its own meeting.
    AppOrMember,
    /// The token of a participant, for what is its own.
    Participant,
    /// Whoever has a link that we signed.
    SignedLink,
}

/// JSON schemas of named types, for `components.schemas`.
pub type Components = Map<String, Value>;

type SchemaFn = Box<dyn Fn(&mut Components) -> Value + Send + Sync>;

/// One operation.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path below the prefix, with `{names}`.
    pub path: &'static str,
    /// Its `operationId`.
    pub id: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Its query parameters.
    pub query: Vec<Param>,
    /// Whether a live engine for it exists; without one it answers 501 after all other checks.
    pub built: bool,
    body: Option<(bool, SchemaFn)>,
    answer: (u16, SchemaFn),
    handler: MethodRouter<App>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

macro_rules! constructors {
    ($($name:ident: $method:ident),*) => {$(
        #[doc = concat!("A route for ", stringify!($method), ".")]
        pub fn $name<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
        where
            H: Handler<T, App>,
            T: 'static,
        {
            Self::new(Method::$method, path, id, on(MethodFilter::$method, handler))
        }
    )*};
}

impl Route {
    constructors!(get: GET, post: POST, put: PUT, patch: PATCH, delete: DELETE);

    fn new(method: Method, path: &'static str, id: &'static str, handler: MethodRouter<App>) -> Self {
        Self {
            method,
            path,
            id,
            summary: "",
            access: Access::App,
            query: Vec::new(),
            built: true,
            body: None,
            answer: (200, Box::new(|_| json!({"type": "object"}))),
            handler,
        }
    }

    /// Says in one line what the operation does.
    #[must_use]
    pub fn about(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Says who may call it (an app's own tokens, unless said).
    #[must_use]
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Takes these query parameters.
    #[must_use]
    pub fn query(self, params: &[Param]) -> Self {
        Self {
            query: params.to_vec(),
            ..self
        }
    }

    /// Takes a JSON body of this type.
    #[must_use]
    pub fn body<T: ToSchema + 'static>(self) -> Self {
        Self {
            body: Some((true, Box::new(reference::<T>))),
            ..self
        }
    }

    /// Takes a JSON body of another shape than its type has.
    #[must_use]
    pub fn body_with(self, schema: impl Fn(&mut Components) -> Value + Send + Sync + 'static) -> Self {
        Self {
            body: Some((true, Box::new(schema))),
            ..self
        }
    }

    /// Takes a JSON body of this type, or none at all.
    #[must_use]
    pub fn optional_body<T: ToSchema + 'static>(self) -> Self {
        Self {
            body: Some((false, Box::new(reference::<T>))),
            ..self
        }
    }

    /// Answers one record in the envelope.
    #[must_use]
    pub fn answers<T: ToSchema + 'static>(self, status: u16) -> Self {
        self.answers_with(status, |components| envelope(reference::<T>(components)))
    }

    /// Answers 200 with a list of records, paged at the top level.
    #[must_use]
    pub fn answers_page<T: ToSchema + 'static>(self) -> Self {
        self.answers_with(200, |components| paged(list_of::<T>(components), components))
    }

    /// Answers with a body of another shape.
    #[must_use]
    pub fn answers_with(
        self,
        status: u16,
        schema: impl Fn(&mut Components) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: (status, Box::new(schema)),
            ..self
        }
    }

    /// Says that its engine does not exist yet.
    #[must_use]
    pub fn not_built(self) -> Self {
        Self { built: false, ..self }
    }

    /// The handler, for the router.
    pub fn handler(&self) -> MethodRouter<App> {
        self.handler.clone()
    }

    /// The names in the path, in order.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split(['{', '}']).skip(1).step_by(2)
    }

    /// The schema of the request body, and whether one must be sent.
    pub fn body_schema(&self, components: &mut Components) -> Option<(bool, Value)> {
        self.body
            .as_ref()
            .map(|(required, schema)| (*required, schema(components)))
    }

    /// The status and the schema of success.
    pub fn answer_schema(&self, components: &mut Components) -> (u16, Value) {
        (self.answer.0, (self.answer.1)(components))
    }
}

/// A reference to a named type, which is added to the components.
pub fn reference<T: ToSchema>(components: &mut Components) -> Value {
    let mut parts = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    for (name, schema) in parts {
        components
            .entry(name)
            .or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    json!({"$ref": format!("#/components/schemas/{}", T::name())})
}

/// An array of a named type.
pub fn list_of<T: ToSchema>(components: &mut Components) -> Value {
    json!({"type": "array", "items": reference::<T>(components)})
}

/// An object of these required properties.
pub fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
    })
}

/// The envelope around `data`.
pub fn envelope(data: Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"type": "boolean"}, "data": data},
    })
}

/// The envelope around `data` with `paging` beside it.
pub fn paged(data: Value, components: &mut Components) -> Value {
    let paging = reference::<muster_model::PageInfo>(components);
    json!({
        "type": "object",
        "required": ["success", "data", "paging"],
        "properties": {"success": {"type": "boolean"}, "data": data, "paging": paging},
    })
}
