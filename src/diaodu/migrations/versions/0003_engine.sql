-- Call activities: the instance and token that called an instance.
alter table engine.instance add column parent_id int8, add column parent_token int8;

-- Which instances wait for which signal, so that a signal finds them in other roots.
create table engine.subscription (
  part int2 not null, instance_id int8 not null, name text not null, root_id int8 not null,
  primary key (part, instance_id, name)
);
create index subscription_name on engine.subscription (part, name);

-- Signals on their way to other roots; gone when every partition has its jobs.
create table engine.broadcast (
  part int2 not null, id int8 not null, root_id int8 not null,
  name text not null, vars jsonb not null, created_at timestamptz not null,
  primary key (part, id)
);

-- When the newest version of a process starts by itself, for each of its timer start events.
create table engine.schedule (
  process text not null, node text not null,
  every text,                          -- the duration between two starts; null for a single one
  remaining int4 not null,             -- starts to come, -1 for ever
  due_at timestamptz not null,
  primary key (process, node)
);
create index schedule_due on engine.schedule (due_at);

-- Work for external workers: fetched and locked over HTTP, gone when its token goes on.
create table engine.external_task (
  part int2 not null, id int8 not null, root_id int8 not null,     -- the id is the key of idempotency
  instance_id int8 not null, token_id int8 not null, node text not null,
  topic text not null, vars jsonb not null, settings jsonb not null,
  state int2 not null,                 -- 0 to be fetched from due_at on, 1 answered, 2 failed (an incident names it)
  due_at timestamptz not null,         -- of a locked one: when its lock ends
  attempts int2 not null,              -- how often it was fetched
  worker text, lock_token text,        -- who fetched it last; the token fences late answers
  created_at timestamptz not null,
  primary key (part, id)
) with (fillfactor = 70);
create index external_task_due on engine.external_task (topic, due_at, id) where state = 0;
create index external_task_token on engine.external_task (part, token_id);

-- Instances of a suspended version are not started.
alter table engine.definition add column suspended_at timestamptz, add column suspended_by text;

-- One operation on many instances: first looked at, then confirmed with the token of that look, then done by the
-- workers, partition by partition.
create table engine.bulk (
  id int8 primary key,
  verb text not null, filter jsonb not null, arguments jsonb not null, reason text not null,
  found int4 not null,                 -- how many the preview counted
  digest bytea not null,               -- SHA-256 of the preview's token
  made_by text not null, made_at timestamptz not null,
  confirmed_at timestamptz
);
create index bulk_confirmed on engine.bulk (confirmed_at) where confirmed_at is not null;

create table engine.bulk_part (
  part int2 not null, bulk_id int8 not null references engine.bulk,
  last_id int8 not null,               -- instances up to this one are done
  done int4 not null, refused int4 not null,
  refusals jsonb not null,             -- the first of them: instance, code
  ended_at timestamptz,
  primary key (part, bulk_id)
);
