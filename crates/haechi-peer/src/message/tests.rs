use super::*;

fn state() -> KeyState {
    let replica = KeyReplica { born: 1, beginning: None };
    KeyState {
        account: "111111111111".to_owned(),
        key_id: "mrk-1".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        usage: "ENCRYPT_DECRYPT".to_owned(),
        origin: "AWS_KMS".to_owned(),
        version: 1,
        primary: "eu-west-1".to_owned(),
        replicas: BTreeMap::from([("us-east-1".to_owned(), replica)]),
        rotation: None,
        materials: vec![Material {
            id: "a".to_owned(),
            handle: "0".repeat(64),
            created_ms: 0,
            pending: false,
            rotated: None,
            sealed: Sealed(vec![1, 2, 3]),
        }],
    }
}

#[test]
fn a_message_is_read_as_it_was_written() {
    let bytes = write(&state()).unwrap();
    assert_eq!(parse::<KeyState>(&bytes).unwrap(), state());
    assert!(parse::<KeyReport>(&bytes).is_err());
    for length in 0..bytes.len() {
        assert!(parse::<KeyState>(&bytes[..length]).is_err());
    }
}

#[test]
fn each_limit_holds_at_its_edge() {
    let mut most = state();
    let material = most.materials[0].clone();
    most.materials = vec![material.clone(); MATERIALS_MAX];
    most.materials[0].sealed = Sealed(vec![0; SEALED_BYTES_MAX]);
    assert!(write(&most).is_ok());
    most.materials.push(material);
    assert!(write(&most).is_err());
    let mut long = state();
    long.materials[0].sealed = Sealed(vec![0; SEALED_BYTES_MAX + 1]);
    assert!(write(&long).is_err());
    let edit = |change: fn(&mut KeyState)| {
        let mut state = state();
        change(&mut state);
        write(&state).is_ok()
    };
    assert!(!edit(|state| state.account = "1".to_owned()));
    assert!(!edit(|state| state.key_id = "1".to_owned()));
    assert!(!edit(|state| state.key_id = "mrk-/".to_owned()));
    assert!(!edit(|state| state.primary = "us-east-1".to_owned()));
    assert!(!edit(|state| state.version = 0));
    assert!(!edit(|state| state.materials[0].handle = "0".repeat(63)));
}
