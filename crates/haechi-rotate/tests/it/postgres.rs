use std::process::Command;

use haechi_rotate::{
    Failure, Login, Postgres, Server, Tls, alternate, set_alternating, set_single,
};

use crate::server::*;

/// A PostgreSQL in which `admin` is the superuser and `app` owns a table.
async fn postgres() -> RealServer {
    let bin = "/usr/lib/postgresql";
    let versions = std::fs::read_dir(bin).expect("PostgreSQL: run `cargo xtask test` once");
    let newest = versions.map(|entry| entry.unwrap().path()).max().unwrap().join("bin");
    let (folder, port) = (folder("nobody"), free_port());
    let data = folder.path().join("data");
    let password = folder.path().join("password");
    std::fs::write(&password, "admin's").unwrap();
    let mut init = unprivileged(&newest.join("initdb"), "nobody");
    init.args(["--username=admin", "--auth=scram-sha-256", "--no-sync", "--pwfile"]);
    run(init.arg(&password).arg("-D").arg(&data));
    let mut command: Command = unprivileged(&newest.join("postgres"), "nobody");
    command.arg("-D").arg(&data).args(["-F", "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", &format!("port={port}"), "-c", "unix_socket_directories="]);
    let authority = certificate(folder.path(), "nobody");
    for (setting, file) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
        let file = folder.path().join(file);
        command.args(["-c", &format!("{setting}={}", file.display())]);
    }
    command.args(["-c", "ssl=on"]);
    let mut server = RealServer::start(folder, port, command);
    server.authority = authority;
    let admin = server.login("admin", "admin's");
    while let Err(Failure::Unreachable { .. }) = Postgres.test(&admin).await {
        tokio::task::yield_now().await;
    }
    Postgres.provide(&admin, "pg_read_all_settings", "app", "one").await.unwrap();
    server
}

fn is_not_let_in(outcome: Result<(), Failure>) -> bool {
    matches!(outcome, Err(Failure::NotLetIn { .. }))
}

#[tokio::test]
async fn one_user_gets_a_new_password_also_after_a_crash() {
    let server = postgres().await;
    let login = |password| server.login("app", password);
    let (one, two, three) = (login("one"), login("tw'o\"\\"), login("three"));
    assert!(is_not_let_in(Postgres.test(&two).await));
    set_single(&Postgres, &one, None, &two).await.unwrap();
    Postgres.test(&two).await.unwrap();
    assert!(is_not_let_in(Postgres.test(&one).await));
    // The server took it and the secret does not know yet: done again, it is done.
    set_single(&Postgres, &one, None, &two).await.unwrap();
    // The secret is behind by one version.
    set_single(&Postgres, &one, Some(&two), &three).await.unwrap();
    Postgres.test(&three).await.unwrap();
    assert!(is_not_let_in(set_single(&Postgres, &one, None, &two).await));
    let other = Login { username: "admin".to_owned(), ..two };
    assert!(matches!(set_single(&Postgres, &three, None, &other).await, Err(Failure::Invalid(_))));
}

#[tokio::test]
async fn two_users_take_turns_and_the_one_in_use_is_always_let_in() {
    let server = postgres().await;
    let admin = server.login("admin", "admin's");
    let mut current = server.login("app", "one");
    for turn in 0..4 {
        let pending = server.login(&alternate(&current.username), &format!("password {turn}"));
        set_alternating(&Postgres, &current, &pending, &admin).await.unwrap();
        Postgres.test(&current).await.unwrap();
        Postgres.test(&pending).await.unwrap();
        set_alternating(&Postgres, &current, &pending, &admin).await.unwrap();
        current = pending;
    }
    // Its turn: not one of its own making.
    let wrong = server.login("somebody", "x");
    let outcome = set_alternating(&Postgres, &current, &wrong, &admin).await;
    assert!(matches!(outcome, Err(Failure::Invalid(_))));
    // Whoever does not know the current password gets no other user.
    let (current, pending) = (server.login("app", "wrong"), server.login("app_clone", "y"));
    let outcome = set_alternating(&Postgres, &current, &pending, &admin).await;
    assert!(is_not_let_in(outcome));
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified() {
    let server = postgres().await;
    let over = |tls| Login { tls, ..server.login("app", "one") };
    Postgres.test(&over(Tls::Authorities(server.authority.clone()))).await.unwrap();
    let untrusted = Postgres.test(&over(Tls::System)).await;
    let Err(Failure::Unreachable { reason, .. }) = untrusted else { panic!("it was trusted") };
    assert!(reason.contains("certificate"), "{reason}");
    let verified = over(Tls::Authorities(server.authority.clone()));
    let other = Login { host: "localhost".to_owned(), ..verified };
    assert!(matches!(Postgres.test(&other).await, Err(Failure::Unreachable { .. })));
}

#[tokio::test]
async fn a_server_that_is_away_is_no_wrong_password() {
    let server = postgres().await;
    let login = server.login("app", "one");
    drop(server);
    assert!(matches!(Postgres.test(&login).await, Err(Failure::Unreachable { .. })));
}
