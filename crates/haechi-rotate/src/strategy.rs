//! One user, or two in turns.

use crate::{Failure, Login, Server};

/// What the name of the second user ends in, as with AWS's templates.
const CLONE: &str = "_clone";

/// The user whose turn it is after another.
pub fn alternate(username: &str) -> String {
    match username.strip_suffix(CLONE) {
        Some(first) => first.to_owned(),
        None => format!("{username}{CLONE}"),
    }
}

/// Makes the server take the pending password of the one user. What the secret said before the last
/// rotation is tried too: a rotation may have been cut off after the server took it.
///
/// # Errors
/// If no known password is let in, or the server refuses.
pub async fn set_single(
    server: &dyn Server,
    current: &Login,
    previous: Option<&Login>,
    pending: &Login,
) -> Result<(), Failure> {
    if current.username != pending.username || current.host != pending.host {
        let message = "the pending version names another user or host than the current one";
        return Err(Failure::Invalid(message.to_owned()));
    }
    if is_let_in(server, pending).await? {
        return Ok(());
    }
    let previous = previous
        .filter(|previous| previous.username == pending.username && previous.host == pending.host);
    for login in [Some(current), previous].into_iter().flatten() {
        match server.change(login, &pending.password).await {
            Err(Failure::NotLetIn { .. }) => {}
            done => return done,
        }
    }
    Err(current.not_let_in())
}

/// Makes the server take the pending password of the user whose turn it is.
///
/// # Errors
/// If the current user or the superuser is not let in, or the server refuses.
pub async fn set_alternating(
    server: &dyn Server,
    current: &Login,
    pending: &Login,
    master: &Login,
) -> Result<(), Failure> {
    if pending.username != alternate(&current.username) {
        let message = "the pending version does not name the other one of the two users";
        return Err(Failure::Invalid(message.to_owned()));
    }
    if current.host != master.host || current.port != master.port {
        let message = "the superuser's secret is about another server";
        return Err(Failure::Invalid(message.to_owned()));
    }
    if is_let_in(server, pending).await? {
        return Ok(());
    }
    // Whoever knows the current password may have another user with the same rights.
    server.test(current).await?;
    server.provide(master, &current.username, &pending.username, &pending.password).await
}

async fn is_let_in(server: &dyn Server, login: &Login) -> Result<bool, Failure> {
    match server.test(login).await {
        Ok(()) => Ok(true),
        Err(Failure::NotLetIn { .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::alternate;

    #[test]
    fn two_users_take_turns() {
        assert_eq!(alternate("app"), "app_clone");
        assert_eq!(alternate(&alternate("app")), "app");
    }
}
