use std::process::Command;

use haechi_rotate::{Failure, Login, MySql, Server, Tls, alternate, set_alternating, set_single};

use crate::server::*;

/// A MariaDB in which `admin` may everything and `app` may read a database.
async fn mariadb() -> RealServer {
    let program = program(&["mariadbd", "/usr/sbin/mariadbd"]);
    let (folder, port) = (folder("nobody"), free_port());
    let (data, start) = (folder.path().join("data"), folder.path().join("start.sql"));
    let install = crate::server::program(&["mariadb-install-db"]);
    let mut install = unprivileged(&install, "nobody");
    // At its start a server removes temporary tables, also of others who have the same folder.
    install.env("TMPDIR", folder.path());
    install.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    run(install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]));
    let statements = "CREATE DATABASE shop;
        CREATE USER 'admin'@'%' IDENTIFIED BY 'admins';
        GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;
        CREATE USER 'app'@'%' IDENTIFIED BY 'one';
        GRANT SELECT, INSERT ON shop.* TO 'app'@'%';
        DELETE FROM mysql.global_priv WHERE User = '';
        FLUSH PRIVILEGES;
        CREATE TABLE shop.ready (one INT);";
    // A statement a line is what the server reads.
    std::fs::write(&start, statements.replace("\n", " ").replace("; ", ";\n")).unwrap();
    let mut command: Command = unprivileged(&program, "nobody");
    command.env("TMPDIR", folder.path());
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    command.arg(format!("--init-file={}", start.display())).arg(format!("--port={port}"));
    command.arg(format!("--socket={}", folder.path().join("socket").display()));
    command.arg("--bind-address=127.0.0.1");
    let authority = certificate(folder.path(), "nobody");
    for (option, file) in [("ssl-cert", "server.crt"), ("ssl-key", "server.key")] {
        command.arg(format!("--{option}={}", folder.path().join(file).display()));
    }
    let mut server = RealServer::start(folder, port, command);
    server.authority = authority;
    let app = server.login("app", "one");
    while MySql.test(&app).await.is_err() {
        tokio::task::yield_now().await;
    }
    server
}

fn is_not_let_in(outcome: Result<(), Failure>) -> bool {
    matches!(outcome, Err(Failure::NotLetIn { .. }))
}

#[tokio::test]
async fn one_user_gets_a_new_password_also_after_a_crash() {
    let server = mariadb().await;
    let login = |password| server.login("app", password);
    let (one, two, three) = (login("one"), login("tw'o\"\\"), login("three"));
    assert!(is_not_let_in(MySql.test(&two).await));
    set_single(&MySql, &one, None, &two).await.unwrap();
    MySql.test(&two).await.unwrap();
    assert!(is_not_let_in(MySql.test(&one).await));
    set_single(&MySql, &one, None, &two).await.unwrap();
    set_single(&MySql, &one, Some(&two), &three).await.unwrap();
    MySql.test(&three).await.unwrap();
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified() {
    let server = mariadb().await;
    let over = |tls| Login { tls, ..server.login("app", "one") };
    MySql.test(&over(Tls::Authorities(server.authority.clone()))).await.unwrap();
    let untrusted = MySql.test(&over(Tls::System)).await;
    let Err(Failure::Unreachable { reason, .. }) = untrusted else { panic!("it was trusted") };
    assert!(reason.contains("certificate"), "{reason}");
}

#[tokio::test]
async fn two_users_take_turns_and_the_one_in_use_is_always_let_in() {
    let server = mariadb().await;
    let admin = server.login("admin", "admins");
    let mut current = server.login("app", "one");
    for turn in 0..4 {
        let pending = server.login(&alternate(&current.username), &format!("password {turn}"));
        set_alternating(&MySql, &current, &pending, &admin).await.unwrap();
        MySql.test(&current).await.unwrap();
        MySql.test(&pending).await.unwrap();
        set_alternating(&MySql, &current, &pending, &admin).await.unwrap();
        current = pending;
    }
}
