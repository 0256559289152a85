//! A cheese shop on the telephone that remembers what you ordered.

use agent_memory_sdk::{Conversation, Error, Handoff, Metric, export, function};

export!(start_function, book, hand_over, end_function);

/// Greets the caller with what earlier calls left, if any.
#[function]
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

/// Books a cheese for the caller, or only notes which one it is to be as long as the day is open.
#[function]
fn book(
    conv: &Conversation,
    /// The cheese, such as brie.
    cheese_type: String,
    /// The day on which the caller comes to fetch it, if it is settled.
    booking_day: Option<String>,
) -> Result<String, Error> {
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

/// Hands the caller over to the cheesemonger.
#[function]
fn hand_over(
    conv: &Conversation,
    /// What the caller wants from the cheesemonger.
    reason: String,
) -> Result<&'static str, Error> {
    conv.handoff(Handoff::to("cheesemonger").reason(&reason))?;
    Ok("One moment, I'll put you through.")
}

/// Counts the callers who left without a cheese.
#[function]
fn end_function(conv: &Conversation) -> Result<(), Error> {
    if conv.state().get::<String>("cheese_type")?.is_none() {
        conv.write_metric(Metric::new("left_without_cheese"))?;
    }
    Ok(())
}
