-- A visit is a label on work orders; the customer finds those that could share one. An appointment gives the window.
alter table workforce.work_order
  add customer_id int8, add visit_id int8, add appointment_id int8, add start_at timestamptz, add end_at timestamptz;
create index work_order_visit on workforce.work_order (visit_id) where visit_id is not null;
create index work_order_customer on workforce.work_order (customer_id, created_at);

-- The label itself has no state: members, limit and crews are views of the work orders that carry it.
create table workforce.visit (
  part int2 not null, id int8 not null,
  place jsonb not null, start_at timestamptz, end_at timestamptz,
  made_by text not null, created_at timestamptz not null,
  primary key (part, id)
);

-- 待撤回: work that is wanted no more while somebody is at it: who is asked, by when, what was said, who decided.
create table workforce.recall (
  part int2 not null, id int8 not null, order_id int8 not null,
  task_id int8 not null,
  effects int8[] not null,             -- what of the work order is wanted no more
  state text not null,                 -- workforce/recalls.py RECALL_TABLE
  asked_at timestamptz not null, due_at timestamptz not null,
  answer text, answered_at timestamptz,
  decided_by text, note text, ended_at timestamptz,
  primary key (part, order_id, id)
);
create unique index recall_open on workforce.recall (part, task_id) where ended_at is null;
create index recall_due on workforce.recall (due_at) where ended_at is null;

-- 预约 (TMF646): a window agreed with the customer for the visits of an order.
create table workforce.appointment (
  part int2 not null, id int8 not null, order_id int8 not null,
  status text not null,
  start_at timestamptz not null, end_at timestamptz not null,
  extra jsonb not null,                -- what the client sent beside it
  made_by text not null,
  created_at timestamptz not null, changed_at timestamptz not null,
  primary key (part, id)
);
create index appointment_order on workforce.appointment (part, order_id);
