"""引擎: executable BPMN 2.0, durable and set-oriented; knows tokens, jobs and tasks, and no business word."""
