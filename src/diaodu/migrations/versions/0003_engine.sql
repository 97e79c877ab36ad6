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
