create schema fulfilment;

-- 异常: one row for each effect that failed and each incident of the engine; it follows the facts and is kept.
create table fulfilment.fallout (
  part int2 not null, id int8 not null,  -- that of the effect or incident
  order_id int8 not null,
  subject text not null,                 -- effect, incident
  kind text not null,                    -- of the effect; the incident's node of the diagram
  work text, item_key text, element text,
  cause text not null, class text not null,
  told jsonb not null,                   -- the cause in words: zh, en
  advice text not null,                  -- what the policy says: retry, wait, repair, undo, abort
  state text not null,                   -- open, claimed, waiting, closed
  pool int4, assignee text,              -- whose it is
  attempts int2 not null,                -- how often it has failed
  failed_at timestamptz not null,        -- the last time
  due_at timestamptz,                    -- open and claimed: the deadline; waiting: when it goes on
  resolution text, evidence jsonb,
  bulk_id int8,                          -- the bulk operation that had it done again and has not heard of it yet
  opened_at timestamptz not null, ended_at timestamptz,
  primary key (part, id),
  foreign key (part, order_id) references kernel.root (part, id)
) with (fillfactor = 70);
create index fallout_order on fulfilment.fallout (part, order_id);
create index fallout_list on fulfilment.fallout (due_at, id) where state in ('open', 'claimed');
create index fallout_incident on fulfilment.fallout (part, id) where subject = 'incident' and state <> 'closed';
create index fallout_cause on fulfilment.fallout (cause, element, part, id) where state = 'open';

-- What failed for one cause, done again: first looked at, then confirmed, then done partition by partition.
create table fulfilment.bulk (
  id int8 primary key,
  cause text not null, element text,     -- null: of all elements
  per_second float8 not null,
  stop_share float8 not null, stop_least int4 not null,
  reason text not null, found int4 not null,
  digest text not null,                  -- of what the preview found
  made_by text not null, made_at timestamptz not null,
  confirmed_at timestamptz,
  slots jsonb,                           -- by partition, how many of the others come first
  stopped_at timestamptz, stopped_by text
);
create index bulk_confirmed on fulfilment.bulk (confirmed_at) where confirmed_at is not null and stopped_at is null;

create table fulfilment.bulk_part (
  part int2 not null, bulk_id int8 not null references fulfilment.bulk,
  last_id int8 not null,                 -- what stands up to here is done
  resumed int4 not null, mended int4 not null, failed int4 not null,
  ended_at timestamptz,
  primary key (part, bulk_id)
);

-- Whether a system can be asked about a key, and whether the same key sent twice is carried out once.
alter table provisioning.element
  add queryable boolean not null default true, add idempotent boolean not null default true;

-- What has failed before gets an owner too.
insert into fulfilment.fallout (part, id, order_id, subject, kind, work, item_key, element, cause, class, told, advice,
  state, attempts, failed_at, due_at, opened_at)
select part, id, order_id, 'effect', kind, work, item_key, element, coalesce(result -> 'cause' ->> 'code', 'work.failed'),
  'business', jsonb_build_object('zh', coalesce(result -> 'cause' ->> 'zh', result ->> 'cause', ''),
                                 'en', coalesce(result -> 'cause' ->> 'en', result ->> 'cause', '')),
  'repair', 'open', 1, coalesce(sent_at, created_at), now() + interval '4 hours', now()
  from planning.effect where state = 'failed';
