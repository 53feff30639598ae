//! Flags, variables, the file: errors name what is wrong, and where.

use crate::run::{Server, haechi, refused};

#[test]
fn an_error_in_the_file_shows_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haechi.toml");
    for (text, line, told) in [
        ("[listen]\nport = 1\n", "line 2", "unknown field `port`"),
        ("dev = true\nregion = \"nowhere\"\n", "line 2", "`nowhere` is not the name of a Region"),
        ("\naccount_id = \"12\"\n", "line 2", "`12` is not an account id: 12 digits"),
        ("[listen]\n\nadmin = \"0.0.0.0:1\"\n", "line 3", "is not on loopback"),
        ("[seal]\nkind = \"paper\"\n", "line 2", "paper"),
        ("dev = \n", "line 1", "haechi.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = haechi(&["serve", "--data"]);
        command.arg(folder.path().join("data")).arg("--config").arg(&file);
        let (code, error) = refused(&mut command);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(line) && error.contains(told), "{text}: {error}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[test]
fn an_error_in_a_flag_or_a_variable_names_it() {
    for (flag, told) in [
        (["--region", "nowhere"], "is not the name of a Region"),
        (["--account-id", "12"], "12 digits"),
        (["--admin-listen", "0.0.0.0:80"], "not on loopback"),
        (["--listen", "here"], "--listen"),
    ] {
        let (code, error) = refused(haechi(&["serve"]).args(flag));
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(flag[0]) && error.contains(told), "{error}");
    }
    let (_, error) = refused(haechi(&["serve"]).env("HAECHI_REGION", "nowhere"));
    assert!(error.contains("--region") && error.contains("`nowhere`"), "{error}");
    let (_, error) = refused(haechi(&["serve"]).env("HAECHI_CONFIG", "/nonexistent/haechi.toml"));
    assert!(error.contains("/nonexistent/haechi.toml"), "{error}");
}

#[test]
fn a_flag_outweighs_a_variable_and_a_variable_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haechi.toml");
    std::fs::write(&file, "region = \"eu-west-1\"\naccount_id = \"111111111111\"\n").unwrap();
    let data = folder.path().join("data");
    let server = Server::on(&data, &["--config", file.to_str().unwrap(), "--region", "eu-north-1"]);
    assert_eq!(server.text("region"), "eu-north-1");
    assert_eq!(server.text("account_id"), "111111111111");
}

#[test]
fn dev_and_plain_http_are_for_loopback_whatever_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for options in [&["--dev"][..], &["--dev", "--plaintext", "false"], &["--plaintext"]] {
        let mut command = haechi(&["serve", "--listen", "0.0.0.0:0", "--data"]);
        let (code, error) = refused(command.arg(&data).args(options));
        assert_eq!(code, Some(1), "{options:?}");
        assert!(error.contains("0.0.0.0:0 is not"), "{options:?}: {error}");
        assert!(!data.exists(), "nothing was begun");
    }
    let (_, error) = refused(haechi(&["serve"]).args(["--dev-account", "111111111111"]));
    assert!(error.contains("dev-account goes with --dev"), "{error}");
}

#[test]
fn an_option_of_serve_before_another_command_is_refused_and_not_forgotten() {
    let (code, error) = refused(&mut haechi(&["--data", "/nonexistent", "env"]));
    assert_eq!(code, Some(2), "{error}");
    let (code, error) = refused(haechi(&["env"]).env("HAECHI_DATA", "/nonexistent/data"));
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("/nonexistent/data"), "{error}");
}
