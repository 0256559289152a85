//! A cheese shop on the telephone that remembers what you ordered.

use agent_memory_sdk::{Conversation, Error, Handoff, Metric, functions};
use schemars::JsonSchema;
use serde::Deserialize;

functions! {
    start_function,
    /// Books a cheese for the caller, or only notes which one it is to be as long as the day is open.
    book,
    /// Hands the caller over to the cheesemonger.
    hand_over,
    end_function,
}

#[derive(Deserialize, JsonSchema)]
struct Booking {
    /// The cheese, such as brie.
    cheese_type: String,
    /// The day on which the caller comes to fetch it, if it is settled.
    booking_day: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct HandOver {
    /// What the caller wants from the cheesemonger.
    reason: String,
}

/// Greets the caller with what earlier calls left, if any.
fn start_function(conv: &Conversation) -> Result<(), Error> {
    let memory = conv.memory();
    let cheese_type: Option<String> = memory.get("cheese_type")?;
    let booking_day: Option<String> = memory.get("booking_day")?;
    match (cheese_type, booking_day) {
        (Some(cheese), Some(day)) => conv.say(&format!("You booked {cheese} for {day}. Rebook?")),
        (Some(cheese), None) => conv.say(&format!("You previously picked {cheese}.")),
        (None, _) => conv.say("Welcome to the cheese shop. What may it be?"),
    }
    Ok(())
}

fn book(conv: &Conversation, booking: Booking) -> Result<String, Error> {
    let Booking { cheese_type, booking_day } = booking;
    let state = conv.state();
    state.set("cheese_type", &cheese_type)?;
    // The configuration does not list `mood` among its `state_keys`, so it is forgotten when the call ends.
    state.set("mood", "hungry")?;
    conv.write_metric(Metric::new("cheese_picked").value(&cheese_type))?;
    conv.log().field("day_is_settled", &booking_day.is_some()).info("The caller picked a cheese.");

    let Some(day) = booking_day else {
        return Ok(format!("Picked {cheese_type}. Which day?"));
    };
    state.set("booking_day", &day)?;
    Ok(format!("Booked {cheese_type} for {day}."))
}

fn hand_over(conv: &Conversation, HandOver { reason }: HandOver) -> Result<&'static str, Error> {
    conv.handoff(Handoff::to("cheesemonger").reason(&reason))?;
    Ok("One moment, I'll put you through.")
}

/// Counts the callers who left without a cheese.
fn end_function(conv: &Conversation) -> Result<(), Error> {
    if conv.state().get::<String>("cheese_type")?.is_none() {
        conv.write_metric(Metric::new("left_without_cheese"))?;
    }
    Ok(())
}
