//! Virtual MFA devices, and the codes that STS asks about.

use haechi_core::{Evidence, Handle, MfaError};
use haechi_crypto::totp::{STEP_MS, TotpSeed, step};
use haechi_iam_model::ops::{
    CreateVirtualMFADevice, DeactivateMFADevice, DeleteUser, DeleteVirtualMFADevice,
    EnableMFADevice, GetMFADevice, ListMFADeviceTags, ListMFADevices, ListVirtualMFADevices,
    ResyncMFADevice, TagMFADevice, UntagMFADevice, UpdateUser,
};
use haechi_iam_model::shapes::{
    AssignmentStatusType, CreateVirtualMFADeviceRequest, DeactivateMFADeviceRequest,
    DeleteUserRequest, DeleteVirtualMFADeviceRequest, EnableMFADeviceRequest, GetMFADeviceRequest,
    ListMFADeviceTagsRequest, ListMFADevicesRequest, ListVirtualMFADevicesRequest,
    ResyncMFADeviceRequest, TagMFADeviceRequest, UntagMFADeviceRequest, UpdateUserRequest,
};

use crate::cast::{ACCOUNT, ALLOW_ALL, OTHER_ACCOUNT, Stage, account, tag, told};

const SERIAL: &str = "arn:aws:iam::123456789012:mfa/phone";

/// An authenticator app.
struct App(TotpSeed);

impl App {
    /// The code that it shows some steps from now.
    fn code(&self, stage: &Stage, steps: i64) -> String {
        self.0.code(step(stage.kit.env.now().millis()) + steps).to_string()
    }
}

fn device(name: &str) -> CreateVirtualMFADeviceRequest {
    CreateVirtualMFADeviceRequest { virtual_mfa_device_name: name.to_owned(), ..Default::default() }
}

async fn create(stage: &Stage, name: &str) -> App {
    let made = stage.ok::<CreateVirtualMFADevice>(device(name)).await.virtual_mfa_device;
    let seed = String::from_utf8(made.base32_string_seed.unwrap().0.clone()).unwrap();
    App(TotpSeed::from_base32(&seed).unwrap())
}

fn enable(user: &str, serial: &str, codes: [String; 2]) -> EnableMFADeviceRequest {
    let [authentication_code1, authentication_code2] = codes;
    EnableMFADeviceRequest {
        user_name: user.to_owned(),
        serial_number: serial.to_owned(),
        authentication_code1,
        authentication_code2,
    }
}

/// Alice with a phone; her unique id.
async fn alice_with_phone(stage: &Stage) -> (String, App) {
    let id = stage.create_user("alice").await.user_id;
    let app = create(stage, "phone").await;
    let codes = [app.code(stage, -1), app.code(stage, 0)];
    stage.ok::<EnableMFADevice>(enable("alice", SERIAL, codes)).await;
    // The codes of the enabling are used up.
    stage.kit.clock.advance(60);
    (id, app)
}

async fn verify(stage: &Stage, user_id: &str, code: &str) -> Result<(), MfaError> {
    let now = stage.kit.env.now();
    stage.iam.verify_mfa(&account(ACCOUNT), user_id, SERIAL, code, now).await
}

fn is_invalid(outcome: &Result<(), MfaError>) -> bool {
    matches!(outcome, Err(MfaError::InvalidCode))
}

fn listing(status: Option<AssignmentStatusType>) -> ListVirtualMFADevicesRequest {
    ListVirtualMFADevicesRequest { assignment_status: status, ..Default::default() }
}

#[tokio::test]
async fn a_new_device_tells_its_serial_number_its_seed_and_a_picture_and_is_nobodys() {
    let stage = Stage::new().await;
    let request = CreateVirtualMFADeviceRequest {
        path: Some("/staff/".to_owned()),
        virtual_mfa_device_name: "phone".to_owned(),
        tags: Some(vec![tag("Team", "Blue")]),
    };
    let made = stage.ok::<CreateVirtualMFADevice>(request).await.virtual_mfa_device;
    assert_eq!(made.serial_number, "arn:aws:iam::123456789012:mfa/staff/phone");
    assert_eq!(made.base32_string_seed.unwrap().0.len(), 64);
    assert!(made.qr_code_png.unwrap().0.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(made.user.is_none() && made.enable_date.is_none());
    let listed = stage.ok::<ListVirtualMFADevices>(listing(None)).await.virtual_mfa_devices;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].base32_string_seed.is_none() && listed[0].qr_code_png.is_none());
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let stage = Stage::new().await;
    create(&stage, "phone").await;
    let taken = "MFA device already exists.";
    let refused = stage.refused::<CreateVirtualMFADevice>(device("Phone")).await;
    assert_eq!(refused, told("EntityAlreadyExists", taken));
}

#[tokio::test]
async fn two_consecutive_codes_enable_a_device_and_others_do_not() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let app = create(&stage, "phone").await;
    let (before, now) = (app.code(&stage, -1), app.code(&stage, 0));
    let invalid = told("InvalidAuthenticationCode", "Authentication code for device is not valid.");
    for codes in [[now.clone(), before.clone()], [now.clone(), now.clone()]] {
        let request = enable("alice", SERIAL, codes);
        assert_eq!(stage.refused::<EnableMFADevice>(request).await, invalid);
    }
    stage.ok::<EnableMFADevice>(enable("alice", SERIAL, [before.clone(), now.clone()])).await;
    let request =
        ListMFADevicesRequest { user_name: Some("alice".to_owned()), ..Default::default() };
    let listed = stage.ok::<ListMFADevices>(request).await.mfa_devices;
    assert_eq!((listed[0].serial_number.as_str(), &*listed[0].user_name), (SERIAL, "alice"));
    assert_eq!(listed[0].enable_date, stage.kit.env.now());
    stage.create_user("bob").await;
    for (user, message) in [
        ("alice", "MFA Device for user alice already exists."),
        ("bob", "MFA Device is already in use."),
    ] {
        let request = enable(user, SERIAL, [before.clone(), now.clone()]);
        let refused = stage.refused::<EnableMFADevice>(request).await;
        assert_eq!(refused, told("EntityAlreadyExists", message));
    }
}

#[tokio::test]
async fn a_code_counts_once_and_only_near_its_time() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    assert!(is_invalid(&verify(&stage, &id, &app.code(&stage, -2)).await));
    assert!(is_invalid(&verify(&stage, &id, &app.code(&stage, 2)).await));
    let code = app.code(&stage, 0);
    verify(&stage, &id, &code).await.unwrap();
    assert!(is_invalid(&verify(&stage, &id, &code).await));
    // Nor does one that is older than one that counted.
    assert!(is_invalid(&verify(&stage, &id, &app.code(&stage, -1)).await));
    verify(&stage, &id, &app.code(&stage, 1)).await.unwrap();
}

#[tokio::test]
async fn of_two_who_bring_the_same_code_at_once_one_is_let_in() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let code = app.code(&stage, 0);
    let (one, other) = tokio::join!(verify(&stage, &id, &code), verify(&stage, &id, &code));
    let accepted = [&one, &other].iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn a_device_speaks_for_its_own_user_in_its_own_account_only() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let bob = stage.create_user("bob").await.user_id;
    let code = app.code(&stage, 0);
    assert!(matches!(verify(&stage, &bob, &code).await, Err(MfaError::UnknownDevice)));
    let (other, now) = (account(OTHER_ACCOUNT), stage.kit.env.now());
    let elsewhere = stage.iam.verify_mfa(&other, &id, SERIAL, &code, now).await;
    assert!(matches!(elsewhere, Err(MfaError::UnknownDevice)));
    verify(&stage, &id, &code).await.unwrap();
}

#[tokio::test]
async fn after_ten_wrong_codes_the_right_one_does_not_count_for_five_minutes() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let code = app.code(&stage, 0);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..10 {
        assert!(is_invalid(&verify(&stage, &id, wrong).await));
    }
    assert!(is_invalid(&verify(&stage, &id, &code).await));
    stage.kit.clock.advance(5 * 60);
    verify(&stage, &id, &app.code(&stage, 0)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_clock_is_set_right_by_two_new_codes() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let ahead = 8;
    assert!(is_invalid(&verify(&stage, &id, &app.code(&stage, ahead)).await));
    let resync = |codes: [String; 2]| {
        let [authentication_code1, authentication_code2] = codes;
        ResyncMFADeviceRequest {
            user_name: "alice".to_owned(),
            serial_number: SERIAL.to_owned(),
            authentication_code1,
            authentication_code2,
        }
    };
    let codes = [app.code(&stage, ahead - 1), app.code(&stage, ahead)];
    stage.ok::<ResyncMFADevice>(resync(codes.clone())).await;
    assert_eq!(
        stage.refused::<ResyncMFADevice>(resync(codes)).await.0,
        "InvalidAuthenticationCode"
    );
    stage.kit.clock.advance(STEP_MS / 1000);
    verify(&stage, &id, &app.code(&stage, ahead)).await.unwrap();
    let late = [app.code(&stage, -9), app.code(&stage, -8)];
    assert_eq!(stage.refused::<ResyncMFADevice>(resync(late)).await.0, "InvalidAuthenticationCode");
}

#[tokio::test]
async fn a_user_with_a_device_is_not_deleted_nor_is_a_device_with_a_user() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let user = DeleteUserRequest { user_name: "alice".to_owned() };
    let conflict =
        told("DeleteConflict", "Cannot delete entity, must remove tokens from principal first.");
    assert_eq!(stage.refused::<DeleteUser>(user.clone()).await, conflict);
    let delete = DeleteVirtualMFADeviceRequest { serial_number: SERIAL.to_owned() };
    let in_use = told("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.");
    assert_eq!(stage.refused::<DeleteVirtualMFADevice>(delete.clone()).await, in_use);
    let deactivate = DeactivateMFADeviceRequest {
        user_name: Some("alice".to_owned()),
        serial_number: SERIAL.to_owned(),
    };
    stage.ok::<DeactivateMFADevice>(deactivate.clone()).await;
    let outcome = verify(&stage, &id, &app.code(&stage, 0)).await;
    assert!(matches!(outcome, Err(MfaError::UnknownDevice)));
    let foreign = told("NoSuchEntity", "MFA Device invalid for user.");
    assert_eq!(stage.refused::<DeactivateMFADevice>(deactivate.clone()).await, foreign);
    stage.ok::<DeleteVirtualMFADevice>(delete.clone()).await;
    let gone = format!("MFA Device with serial number {SERIAL} does not exist.");
    assert_eq!(stage.refused::<DeleteVirtualMFADevice>(delete).await, told("NoSuchEntity", &gone));
    let refused = stage.refused::<DeactivateMFADevice>(deactivate).await;
    assert_eq!(refused, told("NoSuchEntity", &gone));
    stage.ok::<DeleteUser>(user).await;
}

#[tokio::test]
async fn a_device_follows_its_user_to_another_name() {
    let stage = Stage::new().await;
    let (id, app) = alice_with_phone(&stage).await;
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("bob".to_owned()),
        new_path: None,
    };
    stage.ok::<UpdateUser>(rename).await;
    let request = ListMFADevicesRequest { user_name: Some("bob".to_owned()), ..Default::default() };
    assert_eq!(stage.ok::<ListMFADevices>(request).await.mfa_devices[0].user_name, "bob");
    // This operation is for security keys alone.
    let request =
        GetMFADeviceRequest { serial_number: SERIAL.to_owned(), user_name: Some("bob".to_owned()) };
    let refused = stage.refused::<GetMFADevice>(request).await;
    assert_eq!(refused.0, "ValidationError");
    assert!(refused.1.contains("only hardware FIDO security keys are supported"), "{}", refused.1);
    verify(&stage, &id, &app.code(&stage, 0)).await.unwrap();
}

#[tokio::test]
async fn devices_are_listed_by_whether_they_are_someones() {
    let stage = Stage::new().await;
    alice_with_phone(&stage).await;
    create(&stage, "spare").await;
    let names = async |status| {
        let devices = stage.ok::<ListVirtualMFADevices>(listing(status)).await.virtual_mfa_devices;
        let user = |user: Option<haechi_iam_model::shapes::User>| user.map(|user| user.user_name);
        devices.into_iter().map(|one| (one.serial_number, user(one.user))).collect::<Vec<_>>()
    };
    let phone = (SERIAL.to_owned(), Some("alice".to_owned()));
    let spare = ("arn:aws:iam::123456789012:mfa/spare".to_owned(), None);
    assert_eq!(names(None).await, [phone.clone(), spare.clone()]);
    assert_eq!(names(Some(AssignmentStatusType::Assigned)).await, [phone]);
    assert_eq!(names(Some(AssignmentStatusType::Unassigned)).await, [spare]);
}

#[tokio::test]
async fn a_user_has_eight_devices_at_most() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    for number in 0..9 {
        let app = create(&stage, &format!("phone-{number}")).await;
        let codes = [app.code(&stage, -1), app.code(&stage, 0)];
        let request =
            enable("alice", &format!("arn:aws:iam::123456789012:mfa/phone-{number}"), codes);
        if number < 8 {
            stage.ok::<EnableMFADevice>(request).await;
        } else {
            assert_eq!(stage.refused::<EnableMFADevice>(request).await.0, "LimitExceeded");
        }
    }
}

#[tokio::test]
async fn a_device_has_tags() {
    let stage = Stage::new().await;
    create(&stage, "phone").await;
    let tags = vec![tag("Team", "Blue"), tag("Floor", "2")];
    stage.ok::<TagMFADevice>(TagMFADeviceRequest { serial_number: SERIAL.to_owned(), tags }).await;
    let tag_keys = vec!["Floor".to_owned()];
    let request = UntagMFADeviceRequest { serial_number: SERIAL.to_owned(), tag_keys };
    stage.ok::<UntagMFADevice>(request).await;
    let request =
        ListMFADeviceTagsRequest { serial_number: SERIAL.to_owned(), ..Default::default() };
    let listed = stage.ok::<ListMFADeviceTags>(request).await.tags;
    assert_eq!(listed.iter().map(|tag| tag.key.as_str()).collect::<Vec<_>>(), ["Team"]);
}

#[tokio::test]
async fn whoever_may_not_ask_does_not_learn_whether_a_device_exists() {
    let stage = Stage::new().await;
    create(&stage, "phone").await;
    let mallory = stage.kit.user(ACCOUNT, "mallory", &[]);
    for name in ["phone", "none"] {
        let serial_number = format!("arn:aws:iam::123456789012:mfa/{name}");
        let request = DeleteVirtualMFADeviceRequest { serial_number };
        let refused = stage.refused_to::<DeleteVirtualMFADevice>(&mallory, request).await;
        assert_eq!(refused.0, "AccessDenied");
    }
}

#[tokio::test]
async fn a_user_with_a_device_adds_and_takes_none_of_its_own_without_having_shown_a_code() {
    let stage = Stage::new().await;
    let (_, app) = alice_with_phone(&stage).await;
    create(&stage, "spare").await;
    stage.create_user("bob").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    let key = stage.create_key("alice").await;
    let alice = stage.credential(&key.access_key_id).await.unwrap().caller.clone();
    let message = "To complete this action, please ensure that you are authenticated with an MFA \
        device that is enabled for this user.";
    let refusal = told("AccessDenied", message);
    for serial in [SERIAL, "arn:aws:iam::123456789012:mfa/spare", "arn:aws:iam::1:mfa/none"] {
        let codes = [app.code(&stage, -1), app.code(&stage, 0)];
        let request = enable("alice", serial, codes);
        assert_eq!(stage.refused_to::<EnableMFADevice>(&alice, request).await, refusal);
    }
    let deactivate = |user: Option<&str>| DeactivateMFADeviceRequest {
        user_name: user.map(str::to_owned),
        serial_number: SERIAL.to_owned(),
    };
    assert_eq!(stage.refused_to::<DeactivateMFADevice>(&alice, deactivate(None)).await, refusal);
    // Another's devices are a matter of policies alone.
    let of_bob = stage.refused_to::<DeactivateMFADevice>(&alice, deactivate(Some("bob"))).await;
    assert_eq!(of_bob, told("NoSuchEntity", "MFA Device invalid for user."));
    let cx = stage.kit.cx::<DeactivateMFADevice>(&alice);
    cx.prove_mfa();
    let done = Handle::<DeactivateMFADevice>::handle(&*stage.iam, &cx, deactivate(None)).await;
    assert!(done.is_ok());
}
