//! The suite that every store passes unchanged.
//!
//! Each rule is one function, which is given an empty store. [`store_conformance!`](crate::store_conformance) makes a
//! test of each:
//!
//! ```
//! use std::sync::Arc;
//!
//! use agent_memory_store::{Backend, SqliteStore};
//!
//! async fn make() -> (tempfile::TempDir, Arc<dyn Backend>) {
//!     let folder = tempfile::tempdir().unwrap();
//!     let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
//!     // The first member is dropped when the test is over.
//!     (folder, Arc::new(store))
//! }
//!
//! agent_memory_store::store_conformance!(make);
//! # fn main() {}
//! ```
//!
//! [`model`] plays random operations on a store and on [`MemoryStore`](crate::MemoryStore) and compares the answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "these are tests: they panic when a store breaks a rule, and their names say which"
)]

pub mod agents;
pub mod audit;
pub mod commits;
pub mod erasures;
pub mod expiry;
mod fixtures;
pub mod interactions;
pub mod model;
pub mod overview;
pub mod sessions;
pub mod shards;
pub mod transfer;

/// Makes a test of every rule that a [`Shard`](crate::Shard) has to hold beside those of
/// [`store_conformance!`](crate::store_conformance). Takes the path of an async function like that one's, which returns
/// the store as an `Arc<dyn Shard>`.
#[macro_export]
macro_rules! shard_conformance {
    ($make:path) => {
        $crate::store_conformance! { $make:
            shards::a_register_is_replaced_only_by_who_knows_what_is_in_it,
            shards::of_replacements_at_once_one_counts,
            shards::registers_are_listed_by_key,
            shards::e2_a_register_is_there_until_a_sweep_finds_it_expired,
            shards::registers_are_nothing_that_is_held,
            shards::p4_a_session_is_deleted_with_a_replacement_that_counts,
            shards::e3_an_erasure_is_carried_out_under_a_number,
            shards::e3_a_later_number_shortens_no_erasure,
            shards::e3_erasures_elsewhere_are_counted,
            shards::w4_a_mark_is_put_in_unless_one_stands,
            shards::w4_of_a_mark_and_a_commit_at_once_one_stands,
            shards::the_longest_overdue_is_first_and_says_since_when,
            shards::what_is_removed_is_gone_and_the_rest_stays,
        }
    };
}

/// Makes a test of every rule of the suite. Takes the path of an async function that makes an empty store: it
/// returns something to be kept while the test runs, and the store as an `Arc<dyn Backend>`.
///
/// The crate that uses it needs `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { $make:
            commits::i8_callers_are_kept_apart,
            commits::m1_a_caller_without_an_identifier_reads_nothing,
            commits::m2_fields_are_ordered_by_key,
            commits::v5_every_key_and_every_value_comes_back,
            commits::v5_as_much_as_the_limits_allow_comes_back,
            commits::w2_other_fields_and_their_expiry_stay,
            commits::w3_a_patch_lands_as_a_whole,
            commits::w3_later_commits_win_key_by_key,
            commits::w3_no_reader_sees_half_a_patch,
            commits::w4_a_repeated_commit_writes_nothing,
            commits::w4_of_commits_at_once_one_counts,
            commits::w4_a_mark_tells_what_was_recorded,
            commits::w4_a_mark_expires,
            interactions::a2_it_is_inserted_only_if_none_stands,
            interactions::a2_one_that_has_expired_does_not_stand,
            interactions::a2_one_that_began_too_early_does_not_stand,
            interactions::a2_no_later_contact_extends_it,
            interactions::a4_of_commits_at_once_one_is_first,
            interactions::a5_without_one_nothing_is_recorded,
            interactions::a6_metric_rows_expire_with_it,
            interactions::a6_metric_rows_are_ordered,
            interactions::a7_it_is_no_field,
            interactions::a8_an_amendment_shows_in_later_repeats,
            interactions::a8_an_amendment_of_what_has_changed_is_refused,
            interactions::a8_of_amendments_at_once_one_counts,
            interactions::w4_a_mark_keeps_it_as_it_was,
            interactions::w4_a_mark_loses_it_when_it_expires,
            erasures::e3_erasing_a_caller_leaves_nothing,
            erasures::e3_erasing_a_key_removes_that_field_alone,
            erasures::e3_erasing_counts_what_had_not_expired,
            erasures::e3_erasing_nothing_is_no_error,
            erasures::e3_a_conversation_that_began_before_writes_nothing,
            erasures::e3_a_conversation_that_began_before_leaves_an_erased_key,
            erasures::e3_of_commits_around_an_erase_nothing_is_left,
            erasures::e3_an_erasure_is_remembered_until_it_expires,
            erasures::e3_a_later_erasure_shortens_none,
            erasures::e3_erasures_are_counted_for_ever,
            erasures::e3_what_an_interaction_replaced_is_erased_too,
            erasures::e3_an_export_has_everything,
            erasures::e3_an_export_has_nothing_that_has_expired,
            erasures::e3_an_export_of_a_stranger_is_empty,
            erasures::w4_an_erase_empties_the_marks,
            expiry::e1_each_field_expires_on_its_own,
            expiry::e2_a_sweep_counts_what_it_deletes,
            expiry::e2_a_sweep_deletes_any_number,
            expiry::e2_a_sweep_leaves_what_has_not_expired,
            expiry::e2_an_identifier_stays_as_long_as_anything_is_held,
            expiry::e2_an_identifier_goes_with_its_last_field,
            expiry::m4_a_field_is_gone_from_the_second_it_expires,
            expiry::p1_times_come_back_as_they_were_given,
            sessions::p4_the_session_last_saved_is_loaded,
            sessions::p4_a_session_expires_to_the_second,
            sessions::p4_a_session_can_be_deleted,
            sessions::p4_sessions_are_kept_apart,
            sessions::p4_a_session_of_any_bytes_comes_back,
            sessions::a_save_replaces_only_what_it_may,
            sessions::a_session_that_has_expired_is_nothing_to_a_save,
            sessions::a_save_that_is_repeated_is_saved,
            sessions::of_saves_of_one_revision_at_once_one_wins,
            sessions::of_first_saves_at_once_one_wins,
            sessions::no_update_of_a_session_is_lost,
            sessions::the_longest_overdue_is_first,
            sessions::what_has_happened_since_makes_a_session_less_overdue,
            sessions::p4_a_session_that_has_expired_is_not_overdue,
            sessions::w4_a_commit_ends_its_session,
            sessions::w4_a_session_ends_in_the_moment_of_its_commit,
            overview::callers_are_listed_by_key,
            overview::callers_are_listed_page_by_page,
            overview::m4_only_callers_on_whom_something_is_held_are_listed,
            overview::an_empty_store_holds_nothing,
            overview::m4_what_has_not_expired_is_counted,
            overview::any_number_of_callers_is_counted,
            overview::p1_the_last_sweep_is_known_to_the_hour,
            agents::c7_the_version_published_last_is_current_and_the_one_before_is_kept,
            agents::agents_are_kept_apart_and_listed_by_key,
            agents::a_version_that_is_published_again_gets_the_new_record,
            agents::a_component_that_is_not_there_has_to_be_given,
            agents::a_withdrawn_agent_is_not_current,
            agents::e2_a_sweep_deletes_versions_that_were_replaced_long_ago,
            agents::p1_a_version_is_replaced_at_the_full_hour,
            agents::what_is_current_again_is_not_swept,
            agents::e2_a_sweep_deletes_any_number_of_versions,
            agents::of_publications_at_once_one_is_current,
            agents::a_large_component_comes_back,
            audit::acts_are_listed_by_their_hour,
            audit::an_act_that_is_recorded_again_has_the_new_record,
            audit::e2_an_act_expires,
            audit::the_keys_claimed_first_are_remembered,
            audit::of_claims_at_once_one_counts,
            transfer::everything_is_moved,
            transfer::e3_what_was_erased_before_a_move_stays_erased,
            transfer::a_dump_has_any_number_of_things_once,
            transfer::a_copy_is_verified,
            transfer::a_copy_of_what_changes_meanwhile_is_none,
            transfer::c7_a_version_that_is_current_again_can_be_copied_again,
        }
    };
    ($make:path: $($family:ident::$rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                let (_keep, store) = $make().await;
                $crate::conformance::$family::$rule(store).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A rule that is missing in the list would never run.
    #[test]
    fn every_rule_is_listed() {
        let list = include_str!("conformance.rs");
        let families = [
            ("agents", include_str!("conformance/agents.rs")),
            ("audit", include_str!("conformance/audit.rs")),
            ("commits", include_str!("conformance/commits.rs")),
            ("erasures", include_str!("conformance/erasures.rs")),
            ("expiry", include_str!("conformance/expiry.rs")),
            ("interactions", include_str!("conformance/interactions.rs")),
            ("overview", include_str!("conformance/overview.rs")),
            ("sessions", include_str!("conformance/sessions.rs")),
            ("shards", include_str!("conformance/shards.rs")),
            ("transfer", include_str!("conformance/transfer.rs")),
        ];
        for (family, source) in families {
            let rules: Vec<&str> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn "))
                .filter_map(|line| line.split('(').next())
                .collect();
            assert!(!rules.is_empty(), "{family}");
            for rule in rules {
                assert!(list.contains(&format!("            {family}::{rule},\n")), "{family}::{rule} is not listed");
            }
        }
    }
}
