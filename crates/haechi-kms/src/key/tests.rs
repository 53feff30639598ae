use proptest::prelude::*;

use super::*;

fn transition() -> impl Strategy<Value = Transition> {
    prop_oneof![
        Just(Transition::Enable),
        Just(Transition::Disable),
        Just(Transition::ScheduleDeletion),
        Just(Transition::CancelDeletion),
    ]
}

fn any_transition() -> impl Strategy<Value = Transition> {
    prop_oneof![
        transition(),
        Just(Transition::AwaitReplicas),
        Just(Transition::ReplicasGone),
        Just(Transition::LoseMaterial),
        Just(Transition::GainMaterial),
    ]
}

/// Follows transitions from a new key; refused ones leave the state alone.
fn follow(steps: &[Transition]) -> Vec<State> {
    let mut state = State::Enabled;
    steps
        .iter()
        .map(|step| {
            state = state.after(*step).unwrap_or(state);
            state
        })
        .collect()
}

proptest! {
    #[test]
    fn material_serves_exactly_while_the_last_accepted_change_was_enable(
        steps in proptest::collection::vec(transition(), 1..40)
    ) {
        let states = follow(&steps);
        let mut usable = true;
        let mut before = State::Enabled;
        for (step, state) in steps.iter().zip(&states) {
            if before.after(*step).is_ok() {
                usable = *step == Transition::Enable;
            }
            prop_assert_eq!(state.admit(Use::Material).is_ok(), usable);
            before = *state;
        }
    }

    #[test]
    fn only_a_cancellation_saves_a_doomed_key_and_it_leaves_the_key_disabled(
        steps in proptest::collection::vec(any_transition(), 2..40)
    ) {
        let states = follow(&steps);
        for (index, step) in steps.iter().enumerate().skip(1) {
            let (before, after) = (states[index - 1], states[index]);
            if before.is_doomed() {
                prop_assert!(before.admit(Use::Material).is_err());
            }
            if before.is_doomed() && !after.is_doomed() {
                prop_assert_eq!(*step, Transition::CancelDeletion);
                prop_assert_eq!(after, State::Disabled);
            }
        }
    }

    #[test]
    fn a_key_without_its_material_is_enabled_by_material_alone(
        steps in proptest::collection::vec(any_transition(), 2..40)
    ) {
        let states = follow(&steps);
        for (index, step) in steps.iter().enumerate().skip(1) {
            if states[index - 1] == State::PendingImport && states[index] == State::Enabled {
                prop_assert_eq!(*step, Transition::GainMaterial);
            }
        }
    }
}

#[test]
fn a_disabled_key_can_be_changed_but_not_used() {
    assert_eq!(State::Disabled.admit(Use::Change), Ok(()));
    assert_eq!(State::Disabled.admit(Use::Material), Err(Refusal::Disabled));
}

#[test]
fn a_key_pending_deletion_admits_nothing_but_cancellation() {
    let pending = State::PendingDeletion;
    assert_eq!(pending.admit(Use::Change), Err(Refusal::PendingDeletion));
    assert_eq!(pending.admit(Use::Material), Err(Refusal::PendingDeletion));
    assert_eq!(pending.after(Transition::Enable), Err(Refusal::PendingDeletion));
    assert_eq!(pending.after(Transition::ScheduleDeletion), Err(Refusal::PendingDeletion));
}
