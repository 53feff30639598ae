//! The keyring: sealing, rotation, rewrapping, refusal.

use super::*;
use crate::random::seeded::SeededRandom;

const DAY_MS: i64 = 86_400_000;

fn root(seed: u64) -> RootKey {
    RootKey::generate(&SeededRandom::new(seed)).unwrap()
}

fn created() -> (Keyring, Vec<WrappedKey>) {
    Keyring::create(&root(1), 1_000, &SeededRandom::new(2)).unwrap()
}

fn reopen(root: &RootKey, rows: &[WrappedKey], epoch: u32) -> Result<Keyring, KeyringError> {
    Keyring::open(root, rows.iter().map(WrappedKey::as_bytes), epoch)
}

fn error<T>(result: Result<T, KeyringError>) -> KeyringError {
    result.err().expect("a refusal")
}

#[test]
fn a_value_survives_reopening_and_opens_under_its_storage_key_only() {
    let random = SeededRandom::new(3);
    let (keyring, rows) = created();
    let sealed = keyring.seal(b"/kms/1", b"value", &random).unwrap();
    assert_eq!(sealed.len(), 5 + SEALED_OVERHEAD_BYTES);
    let keyring = reopen(&root(1), &rows, 0).unwrap();
    assert_eq!(keyring.open_value(b"/kms/1", &sealed).unwrap().expose(), b"value");
    assert_eq!(error(keyring.open_value(b"/kms/2", &sealed)), KeyringError::ValueRefused);
}

#[test]
fn every_bit_of_a_sealed_value_is_protected() {
    let (keyring, _) = created();
    let sealed = keyring.seal(b"key", b"value", &SeededRandom::new(3)).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(keyring.open_value(b"key", &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(keyring.open_value(b"key", &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_value_sealed_for_one_purpose_does_not_open_for_another() {
    let (keyring, _) = created();
    let purposes = [Purpose::Value, Purpose::KeyMaterial, Purpose::AuditLog, Purpose::SessionToken];
    for made in purposes {
        let sealed = keyring.seal_for(made, b"key", b"value", &SeededRandom::new(3)).unwrap();
        for asked in purposes {
            let opened = keyring.open_for(asked, b"key", &sealed);
            assert_eq!(opened.is_ok(), made == asked, "{made:?} as {asked:?}");
        }
    }
}

#[test]
fn another_root_key_is_refused_by_the_name_of_the_row() {
    let (_, rows) = created();
    let refused = error(reopen(&root(2), &rows, 0));
    assert_eq!(refused, KeyringError::RowRefused { name: "naming".to_owned() });
}

#[test]
fn after_rotation_the_new_key_seals_and_the_old_one_opens() {
    let random = SeededRandom::new(3);
    let (keyring, mut rows) = created();
    let old = keyring.seal(b"key", b"old", &random).unwrap();
    let (keyring, row) = keyring.rotate(&root(1), DAY_MS, &random).unwrap();
    assert_eq!((row.id(), row.created_at_ms(), row.kind()), (2, DAY_MS, WrappedKeyKind::Domain));
    assert_eq!(row.storage_name(), "domain/0000000002");
    rows.push(row);
    let new = keyring.seal(b"key", b"new", &random).unwrap();
    assert_eq!(new[1..5], [0, 0, 0, 2]);

    let reopened = reopen(&root(1), &rows, 2).unwrap();
    assert_eq!(reopened.current_id(), 2);
    assert_eq!(reopened.open_value(b"key", &old).unwrap().expose(), b"old");
    assert_eq!(reopened.open_value(b"key", &new).unwrap().expose(), b"new");
}

#[test]
fn a_value_of_a_domain_key_that_is_not_loaded_says_which() {
    let random = SeededRandom::new(3);
    let (first, _) = created();
    let (second, _) = first.rotate(&root(1), DAY_MS, &random).unwrap();
    let sealed = second.seal(b"key", b"value", &random).unwrap();
    let refused = error(first.open_value(b"key", &sealed));
    assert_eq!(refused, KeyringError::UnknownDomainKey { id: 2 });
}

#[test]
fn rewrapping_changes_the_root_key_and_nothing_else() {
    let random = SeededRandom::new(3);
    let (keyring, _) = created();
    let (keyring, _) = keyring.rotate(&root(1), DAY_MS, &random).unwrap();
    let sealed = keyring.seal(b"key", b"value", &random).unwrap();
    let rows = keyring.rewrap(&root(7), &random).unwrap();
    assert_eq!(rows.len(), 3);
    assert!(reopen(&root(1), &rows, 0).is_err());
    let reopened = reopen(&root(7), &rows, 0).unwrap();
    assert_eq!(reopened.open_value(b"key", &sealed).unwrap().expose(), b"value");
    assert_eq!(reopened.hidden_name("c", b"n"), keyring.hidden_name("c", b"n"));
    let ages: Vec<_> = rows.iter().map(WrappedKey::created_at_ms).collect();
    assert_eq!(ages, [1_000, 1_000, DAY_MS]);
}

#[test]
fn a_rolled_back_store_is_refused_and_a_newer_one_is_not() {
    let (keyring, rows) = created();
    let refused = error(reopen(&root(1), &rows, 2));
    assert_eq!(refused, KeyringError::RolledBack { newest: 1, expected: 2 });
    let (_, row) = keyring.rotate(&root(1), DAY_MS, &SeededRandom::new(3)).unwrap();
    let rows = [rows, vec![row]].concat();
    assert!(reopen(&root(1), &rows, 1).is_ok());
}

#[test]
fn missing_doubled_and_changed_rows_are_refused() {
    let (_, rows) = created();
    let [naming, domain] = rows.as_slice() else { panic!("two rows") };
    let open = |rows: &[&WrappedKey]| {
        error(Keyring::open(&root(1), rows.iter().map(|row| row.as_bytes()), 0))
    };
    assert_eq!(open(&[naming]), KeyringError::MissingRow { what: "domain key" });
    assert_eq!(open(&[domain]), KeyringError::MissingRow { what: "naming key" });
    let doubled = KeyringError::DuplicateRow { name: "domain/0000000001".to_owned() };
    assert_eq!(open(&[naming, domain, domain]), doubled);

    for bit in 0..domain.as_bytes().len() * 8 {
        let mut changed = domain.as_bytes().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = Keyring::open(&root(1), [naming.as_bytes(), &changed], 0);
        assert!(opened.is_err(), "bit {bit}");
    }
    assert!(WrappedKey::parse(&domain.as_bytes()[1..]).is_err());
    assert!(WrappedKey::parse(&[]).is_err());
}

#[test]
fn a_parsed_row_is_the_row() {
    let (_, rows) = created();
    for row in rows {
        assert_eq!(WrappedKey::parse(row.as_bytes()).unwrap(), row);
    }
}

#[test]
fn rotation_is_due_after_a_day_or_after_its_count_of_seals() {
    let (keyring, _) = created();
    assert!(!keyring.is_rotation_due(1_000 + DAY_MS - 1));
    assert!(keyring.is_rotation_due(1_000 + DAY_MS));
    assert!(!keyring.is_rotation_due(0), "a clock that went back is no reason");
    keyring.current.pretend_seals(ROTATE_AFTER_SEALS);
    assert!(keyring.is_rotation_due(1_000));
}

#[test]
fn a_domain_key_refuses_to_seal_beyond_its_limit() {
    let (keyring, _) = created();
    keyring.current.pretend_seals(SEALS_MAX - 1);
    assert!(keyring.seal(b"key", b"last", &SeededRandom::new(3)).is_ok());
    let refused = error(keyring.seal(b"key", b"one more", &SeededRandom::new(4)));
    assert_eq!(refused, KeyringError::SealsExhausted { id: 1 });
}

#[test]
fn hidden_names_are_stable_and_separated_by_context_and_store() {
    let (keyring, rows) = created();
    let name = keyring.hidden_name("alias", b"alias/payroll");
    let (rotated, _) = keyring.rotate(&root(1), DAY_MS, &SeededRandom::new(3)).unwrap();
    assert_eq!(rotated.hidden_name("alias", b"alias/payroll"), name);
    let reopened = reopen(&root(1), &rows, 0).unwrap();
    assert_eq!(reopened.hidden_name("alias", b"alias/payroll"), name);

    assert_ne!(keyring.hidden_name("user", b"alias/payroll"), name);
    assert_ne!(keyring.hidden_name("alias", b"alias/payrolL"), name);
    assert_ne!(keyring.hidden_name("aliasa", b"lias/payroll"), name);
    let (other, _) = Keyring::create(&root(1), 1_000, &SeededRandom::new(99)).unwrap();
    assert_ne!(other.hidden_name("alias", b"alias/payroll"), name);
}
