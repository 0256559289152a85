//! What the host calls of a program in every turn.

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc};

use super::Sandbox;
use crate::bindings::{functions, policy};
use crate::component::{functions_interface, policy_interfaces};

/// Begins a turn, and tells when the session is to be deleted.
type Begin<'a> = TypedFunc<(&'a policy::Turn,), (Result<i64, policy::InputError>,)>;
/// Calls a function by its name, with its arguments.
type Call<'a> = TypedFunc<(&'a str, &'a str), (Result<String, functions::CallError>,)>;
/// Finishes a turn: the state that it leaves.
type Finish = TypedFunc<(), (Result<Vec<policy::StateEntry>, policy::InputError>,)>;

/// Where they are. The generated bindings look up every function of an interface, and compare the types of each, in
/// every instance: of the policy's a turn needs two.
pub(super) struct Calls {
    begin: ComponentExportIndex,
    call: ComponentExportIndex,
    finish: ComponentExportIndex,
}

impl Calls {
    /// Finds them in a program.
    pub(super) fn of(component: &Component) -> wasmtime::Result<Self> {
        let ([_, _, policy], functions) = (policy_interfaces(), functions_interface());
        Ok(Self {
            begin: index(component, &policy, "begin")?,
            call: index(component, &functions, "call")?,
            finish: index(component, &policy, "finish")?,
        })
    }

    pub(super) fn begin<'a>(&self, store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Begin<'a>> {
        typed(store, instance, &self.begin)
    }

    pub(super) fn call<'a>(&self, store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Call<'a>> {
        typed(store, instance, &self.call)
    }

    pub(super) fn finish(&self, store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Finish> {
        typed(store, instance, &self.finish)
    }
}

fn index(component: &Component, interface: &str, function: &str) -> wasmtime::Result<ComponentExportIndex> {
    let interface = component.get_export_index(None, interface);
    let function = interface.and_then(|interface| component.get_export_index(Some(&interface), function));
    function.ok_or_else(|| wasmtime::Error::msg("the contract's functions are not all there"))
}

fn typed<P, R>(
    store: &mut Store<Sandbox>,
    instance: &Instance,
    index: &ComponentExportIndex,
) -> wasmtime::Result<TypedFunc<P, R>>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    instance.get_typed_func(store, index)
}
