from _gen import *  # <AUTO GENERATED>


@func_description("Saves the report.")
def save_report(conv: Conversation, flow: Flow):
    items = sorted(report["item"] for reports in conv.state.reports.values() for report in reports)
    conv.send_email("lost@example.com", body="\n".join(items), subject="Lost property")
    conv.write_metric("OUTCOME", "LOST_PROPERTY")
    conv.exit_flow()
    return ", ".join(items)
