//! The keys of accounts' pseudonyms, ready for use.

use std::array;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hmac::Hmac;
use sha2::Sha256;

use crate::secret::Secret;

/// As many accounts are remembered at most: two that fall into one slot take turns.
const SLOTS: usize = 64;

/// What was derived for the accounts that were asked for last. Reading it waits for nobody.
///
/// It holds nothing that would not follow from the ring's root, which is in memory as long.
pub(crate) struct Accounts {
    slots: [ArcSwapOption<Account>; SLOTS],
    hasher: RandomState,
}

struct Account {
    name: Box<str>,
    /// HMAC that has taken in the account's key, and nothing else yet. `sha2` wipes it when it is dropped.
    keyed: Hmac<Sha256>,
}

impl Accounts {
    pub(crate) fn new() -> Self {
        Self { slots: array::from_fn(|_| ArcSwapOption::empty()), hasher: RandomState::new() }
    }

    /// HMAC-SHA-256 under the key of an account, which `derive` gives if it is not remembered.
    pub(crate) fn hmac(&self, account: &str, derive: impl FnOnce() -> Secret) -> Hmac<Sha256> {
        let slot = self.slot(account);
        let known = slot.map(ArcSwapOption::load);
        if let Some(Some(known)) = known.as_deref()
            && *known.name == *account
        {
            return known.keyed.clone();
        }
        let keyed = derive().hmac();
        if let Some(slot) = slot {
            slot.store(Some(Arc::new(Account { name: account.into(), keyed: keyed.clone() })));
        }
        keyed
    }

    fn slot(&self, account: &str) -> Option<&ArcSwapOption<Account>> {
        let slots = self.slots.len() as u64;
        self.slots.get(usize::try_from(self.hasher.hash_one(account) % slots).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use hmac::Mac;

    use super::*;
    use crate::ring::Ring;

    fn tag(mac: Hmac<Sha256>) -> [u8; 32] {
        mac.chain_update(b"caller").finalize().into_bytes().into()
    }

    #[test]
    fn i8_accounts_that_share_a_slot_never_share_a_key() {
        let (ring, accounts) = (Ring::random(), Accounts::new());
        // Twice as many as there are slots, so that some replace others, and each again in the second round.
        let names: Vec<String> = (0..2 * SLOTS).map(|number| format!("account {number}")).collect();
        for name in names.iter().chain(&names) {
            let derive = || ring.tenant_key(name);
            assert_eq!(tag(accounts.hmac(name, derive)), tag(derive().hmac()), "{name}");
        }
    }

    #[test]
    fn a_key_is_derived_once() {
        let (ring, accounts, derived) = (Ring::random(), Accounts::new(), Cell::new(0));
        for _ in 0..3 {
            accounts.hmac("account", || {
                derived.set(derived.get() + 1);
                ring.tenant_key("account")
            });
        }
        assert_eq!(derived.get(), 1);
    }
}
