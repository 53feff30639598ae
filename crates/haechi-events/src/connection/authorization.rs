//! How a connection authorises: what is kept in its secret, and what of it is shown. Pure.
//!
//! The secret's JSON has the names that AWS's has.

use haechi_events_model::Error;
use haechi_events_model::shapes::{
    ConnectionApiKeyAuthResponseParameters, ConnectionAuthResponseParameters,
    ConnectionAuthorizationType, ConnectionBasicAuthResponseParameters, ConnectionBodyParameter,
    ConnectionHeaderParameter, ConnectionHttpParameters, ConnectionOAuthClientResponseParameters,
    ConnectionOAuthHttpMethod, ConnectionOAuthResponseParameters, ConnectionQueryStringParameter,
    CreateConnectionAuthRequestParameters, UpdateConnectionApiKeyAuthRequestParameters,
    UpdateConnectionAuthRequestParameters, UpdateConnectionBasicAuthRequestParameters,
    UpdateConnectionOAuthClientRequestParameters, UpdateConnectionOAuthRequestParameters,
};
use haechi_wire::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::bus::invalid;
use crate::endpoint;

/// A text that is wiped.
pub(crate) type Secret = Zeroizing<String>;

/// One header, query parameter or member of the body.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) key: String,
    pub(crate) value: Secret,
    #[serde(default)]
    is_value_secret: bool,
}

/// What is added to requests.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Parameters {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) header_parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) query_string_parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) body_parameters: Vec<Parameter>,
}

/// Who asks a token endpoint, and how.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OAuth {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) authorization_endpoint: String,
    pub(crate) http_method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) oauth_http_parameters: Option<Parameters>,
}

/// The ways to authorise.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Method {
    Basic { username: String, password: Secret },
    ApiKey { api_key_name: String, api_key_value: Secret },
    OAuth(OAuth),
}

/// A way to authorise, and what is added to each invocation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Authorization {
    #[serde(flatten)]
    pub(crate) method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) invocation_http_parameters: Option<Parameters>,
}

fn secret(text: SecretString) -> Secret {
    Zeroizing::new(text.0.clone())
}

impl Parameters {
    fn of(given: ConnectionHttpParameters) -> Parameters {
        macro_rules! list {
            ($list:expr) => {
                $list
                    .unwrap_or_default()
                    .into_iter()
                    .map(|given| Parameter {
                        key: given.key.unwrap_or_default(),
                        value: given.value.map(secret).unwrap_or_default(),
                        is_value_secret: given.is_value_secret == Some(true),
                    })
                    .collect()
            };
        }
        Parameters {
            header_parameters: list!(given.header_parameters),
            query_string_parameters: list!(given.query_string_parameters),
            body_parameters: list!(given.body_parameters),
        }
    }

    fn blank(&mut self) {
        let lists = [
            &mut self.header_parameters,
            &mut self.query_string_parameters,
            &mut self.body_parameters,
        ];
        let secret = |parameter: &&mut Parameter| parameter.is_value_secret;
        lists.into_iter().flatten().filter(secret).for_each(|parameter| {
            parameter.value = Secret::default();
        });
    }

    /// As answers show them: without the values that are secret.
    fn show(&self) -> ConnectionHttpParameters {
        macro_rules! list {
            ($list:expr, $shape:ident) => {{
                let shown = $list.iter().map(|parameter| $shape {
                    key: Some(parameter.key.clone()),
                    value: (!parameter.is_value_secret)
                        .then(|| SecretString(parameter.value.to_string())),
                    is_value_secret: Some(parameter.is_value_secret),
                });
                Some(shown.collect::<Vec<_>>()).filter(|shown| !shown.is_empty())
            }};
        }
        ConnectionHttpParameters {
            header_parameters: list!(self.header_parameters, ConnectionHeaderParameter),
            query_string_parameters: list!(
                self.query_string_parameters,
                ConnectionQueryStringParameter
            ),
            body_parameters: list!(self.body_parameters, ConnectionBodyParameter),
        }
    }
}

/// What a request to make a connection says, in the shape of one to change it.
pub(crate) fn of_creation(
    given: CreateConnectionAuthRequestParameters,
) -> UpdateConnectionAuthRequestParameters {
    UpdateConnectionAuthRequestParameters {
        basic_auth_parameters: given.basic_auth_parameters.map(|basic| {
            UpdateConnectionBasicAuthRequestParameters {
                username: Some(basic.username),
                password: Some(basic.password),
            }
        }),
        api_key_auth_parameters: given.api_key_auth_parameters.map(|key| {
            UpdateConnectionApiKeyAuthRequestParameters {
                api_key_name: Some(key.api_key_name),
                api_key_value: Some(key.api_key_value),
            }
        }),
        o_auth_parameters: given.o_auth_parameters.map(|oauth| {
            UpdateConnectionOAuthRequestParameters {
                client_parameters: Some(UpdateConnectionOAuthClientRequestParameters {
                    client_id: Some(oauth.client_parameters.client_id),
                    client_secret: Some(oauth.client_parameters.client_secret),
                }),
                authorization_endpoint: Some(oauth.authorization_endpoint),
                http_method: Some(oauth.http_method),
                o_auth_http_parameters: oauth.o_auth_http_parameters,
            }
        }),
        invocation_http_parameters: given.invocation_http_parameters,
        connectivity_parameters: given.connectivity_parameters,
    }
}

/// A part that a connection of its type cannot be without.
fn needed<T>(value: Option<T>, name: &str) -> Result<T, Error> {
    value.ok_or_else(|| invalid(format!("Parameter(s) {name} must be specified.")))
}

fn basic(
    before: Option<&Method>,
    given: UpdateConnectionBasicAuthRequestParameters,
) -> Result<Method, Error> {
    let (old_name, old_password) = match before {
        Some(Method::Basic { username, password }) => {
            (Some(username.clone()), Some(password.clone()))
        }
        _ => (None, None),
    };
    Ok(Method::Basic {
        username: needed(given.username.or(old_name), "BasicAuthParameters.Username")?,
        password: needed(
            given.password.map(secret).or(old_password),
            "BasicAuthParameters.Password",
        )?,
    })
}

fn api_key(
    before: Option<&Method>,
    given: UpdateConnectionApiKeyAuthRequestParameters,
) -> Result<Method, Error> {
    let (old_name, old_value) = match before {
        Some(Method::ApiKey { api_key_name, api_key_value }) => {
            (Some(api_key_name.clone()), Some(api_key_value.clone()))
        }
        _ => (None, None),
    };
    Ok(Method::ApiKey {
        api_key_name: needed(given.api_key_name.or(old_name), "ApiKeyAuthParameters.ApiKeyName")?,
        api_key_value: needed(
            given.api_key_value.map(secret).or(old_value),
            "ApiKeyAuthParameters.ApiKeyValue",
        )?,
    })
}

fn oauth(
    before: Option<&Method>,
    given: UpdateConnectionOAuthRequestParameters,
) -> Result<Method, Error> {
    let before = match before {
        Some(Method::OAuth(before)) => Some(before),
        _ => None,
    };
    let client = given.client_parameters.unwrap_or_default();
    let old = |part: fn(&OAuth) -> &String| before.map(part).cloned();
    let endpoint = given.authorization_endpoint.or_else(|| old(|old| &old.authorization_endpoint));
    let endpoint = needed(endpoint, "OAuthParameters.AuthorizationEndpoint")?;
    endpoint::check("AuthorizationEndpoint", &endpoint)?;
    let method = given.http_method.map(|method| method.as_str().to_owned());
    let client_secret = client.client_secret.map(secret);
    let parameters = given.o_auth_http_parameters.map(Parameters::of);
    Ok(Method::OAuth(OAuth {
        client_id: needed(
            client.client_id.or_else(|| old(|old| &old.client_id)),
            "OAuthParameters.ClientParameters.ClientID",
        )?,
        client_secret: needed(
            client_secret.or_else(|| before.map(|old| old.client_secret.clone())),
            "OAuthParameters.ClientParameters.ClientSecret",
        )?,
        authorization_endpoint: endpoint,
        http_method: needed(
            method.or_else(|| old(|old| &old.http_method)),
            "OAuthParameters.HttpMethod",
        )?,
        oauth_http_parameters: parameters
            .or_else(|| before.and_then(|old| old.oauth_http_parameters.clone())),
    }))
}

impl Authorization {
    /// What is to be, from what was and what a request says; all of it must be there then.
    pub(crate) fn changed(
        before: Option<Authorization>,
        kind: ConnectionAuthorizationType,
        given: UpdateConnectionAuthRequestParameters,
    ) -> Result<Authorization, Error> {
        let others = match kind {
            ConnectionAuthorizationType::Basic => {
                given.api_key_auth_parameters.is_some() || given.o_auth_parameters.is_some()
            }
            ConnectionAuthorizationType::ApiKey => {
                given.basic_auth_parameters.is_some() || given.o_auth_parameters.is_some()
            }
            ConnectionAuthorizationType::OauthClientCredentials => {
                given.basic_auth_parameters.is_some() || given.api_key_auth_parameters.is_some()
            }
        };
        if others {
            return Err(invalid(format!(
                "Parameter AuthParameters is not valid. Reason: Only the authorization parameters \
                 of AuthorizationType {} can be specified.",
                kind.as_str()
            )));
        }
        let method = before.as_ref().map(|before| &before.method);
        let method = match kind {
            ConnectionAuthorizationType::Basic => {
                basic(method, given.basic_auth_parameters.unwrap_or_default())?
            }
            ConnectionAuthorizationType::ApiKey => {
                api_key(method, given.api_key_auth_parameters.unwrap_or_default())?
            }
            ConnectionAuthorizationType::OauthClientCredentials => {
                oauth(method, given.o_auth_parameters.unwrap_or_default())?
            }
        };
        let parameters = given.invocation_http_parameters.map(Parameters::of);
        Ok(Authorization {
            method,
            invocation_http_parameters: parameters
                .or_else(|| before.and_then(|before| before.invocation_http_parameters)),
        })
    }

    /// Reads a secret.
    pub(crate) fn parse(text: &SecretString) -> Option<Authorization> {
        serde_json::from_str(&text.0).ok()
    }

    /// As the secret.
    pub(crate) fn json(&self) -> SecretString {
        SecretString(serde_json::to_string(self).unwrap_or_default())
    }

    /// The same without anything that is secret.
    #[must_use]
    pub(crate) fn without_secrets(&self) -> Authorization {
        let mut shown = self.clone();
        match &mut shown.method {
            Method::Basic { password: value, .. } | Method::ApiKey { api_key_value: value, .. } => {
                *value = Secret::default();
            }
            Method::OAuth(oauth) => {
                oauth.client_secret = Secret::default();
                oauth.oauth_http_parameters.iter_mut().for_each(Parameters::blank);
            }
        }
        shown.invocation_http_parameters.iter_mut().for_each(Parameters::blank);
        shown
    }

    /// As answers show it.
    pub(crate) fn show(&self) -> ConnectionAuthResponseParameters {
        let mut shown = ConnectionAuthResponseParameters {
            // Recorded: empty where it was given so. Where it was not, Terraform would see a change.
            invocation_http_parameters: self
                .invocation_http_parameters
                .as_ref()
                .map(Parameters::show),
            ..Default::default()
        };
        match &self.method {
            Method::Basic { username, .. } => {
                shown.basic_auth_parameters = Some(ConnectionBasicAuthResponseParameters {
                    username: Some(username.clone()),
                });
            }
            Method::ApiKey { api_key_name, .. } => {
                shown.api_key_auth_parameters = Some(ConnectionApiKeyAuthResponseParameters {
                    api_key_name: Some(api_key_name.clone()),
                });
            }
            Method::OAuth(oauth) => {
                shown.o_auth_parameters = Some(ConnectionOAuthResponseParameters {
                    client_parameters: Some(ConnectionOAuthClientResponseParameters {
                        client_id: Some(oauth.client_id.clone()),
                    }),
                    authorization_endpoint: Some(oauth.authorization_endpoint.clone()),
                    http_method: ConnectionOAuthHttpMethod::parse(&oauth.http_method),
                    o_auth_http_parameters: oauth
                        .oauth_http_parameters
                        .as_ref()
                        .map(Parameters::show),
                });
            }
        }
        shown
    }
}
