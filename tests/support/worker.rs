//! A program that is nothing but a worker.

fn main() {
    agent_memory_host::workers::serve_if_worker();
}
