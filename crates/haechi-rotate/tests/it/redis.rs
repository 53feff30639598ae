use std::process::Command;

use haechi_rotate::{Failure, Redis, Server, set_single};

use crate::server::*;

fn redis() -> RealServer {
    let program = program(&["redis-server"]);
    let (folder, port) = (folder("nobody"), free_port());
    let mut command: Command = unprivileged(&program, "nobody");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    command.args(["--dir", &folder.path().display().to_string()]);
    command.args(["--user", "app", "on", ">one", "+ping", "+acl|setuser"]);
    RealServer::start(folder, port, command)
}

#[tokio::test]
async fn the_password_before_lives_on_until_the_rotation_after() {
    let server = redis();
    let login = |password| server.login("app", password);
    let (one, two, three) = (login("one"), login("two"), login("three"));
    set_single(&Redis, &one, None, &two).await.unwrap();
    Redis.test(&one).await.unwrap();
    Redis.test(&two).await.unwrap();
    set_single(&Redis, &two, Some(&one), &three).await.unwrap();
    Redis.test(&two).await.unwrap();
    Redis.test(&three).await.unwrap();
    assert!(matches!(Redis.test(&one).await, Err(Failure::NotLetIn { .. })));
}
