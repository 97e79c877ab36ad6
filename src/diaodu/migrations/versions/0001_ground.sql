-- Three families of tables: order-keyed (part), area-keyed (area), and small reference tables.
-- A transaction writes one key of one family; foreign keys stay inside a family or point to reference tables.

create schema kernel;
create schema engine;
create schema tmf;
create schema organization;
create schema party;
create schema catalog;
create schema inventory;
create schema ordering;
create schema planning;
create schema provisioning;
create schema workforce;

-- kernel ------------------------------------------------------------------------------------------------------

create table kernel.setting (name text primary key, value jsonb not null);

-- Each process leases a node number for its ids; it wraps, and no 1,024 processes live at once.
create sequence kernel.node minvalue 0 maxvalue 1023 cycle;

create table kernel.lease (
  name text primary key,              -- engine:<part>, area:<id>, element:<name>, hub:<part>
  owner text,
  until timestamptz not null,
  clean boolean not null              -- false while the owner works: a take-over then knows that it died
);

-- The row that every command and every batch locks first.
create table kernel.root (
  part int2 not null, id int8 not null, kind text not null, created_at timestamptz not null,
  primary key (part, id)
);

-- One row per root and transaction, chained by hash; partitioned by the month in the root's id (kernel.cohorts).
create table kernel.history (
  part int2 not null, root_id int8 not null, seq int4 not null,
  at timestamptz not null, actor text not null, entries jsonb not null, hash bytea not null,
  primary key (part, root_id, seq)
) partition by range (root_id);
create table kernel.history_rest partition of kernel.history default;

-- Fixes the id of an external key before the entity is made.
create table kernel.ext_key (
  kind text not null, source text not null, key text not null, id int8 not null,
  primary key (kind, source, key)
);

-- engine ------------------------------------------------------------------------------------------------------

create table engine.definition (
  id int4 generated always as identity primary key,
  key text not null, version int4 not null, name text not null,
  bpmn bytea not null, digest bytea not null,          -- the source is kept byte-equal
  deployed_at timestamptz not null,
  unique (key, version)
);

create table engine.instance (
  part int2 not null, id int8 not null, root_id int8 not null,
  definition_id int4 not null,         -- no foreign key: every insert would lock the one row of a busy definition
  business_key text not null,
  state int2 not null,                 -- 0 active, 1 ended, 2 cancelled, 3 suspended
  tokens jsonb not null,               -- where the diagram stands; never business state
  vars jsonb not null,
  started_at timestamptz not null, ended_at timestamptz,
  primary key (part, id),
  foreign key (part, root_id) references kernel.root (part, id)
) with (fillfactor = 50);
create index instance_root on engine.instance (part, root_id);

-- Everything that wakes an order: starts, messages, reports, due timers, nudges. Reports stay (idempotency).
create table engine.job (
  part int2 not null, id int8 not null, root_id int8 not null,
  instance_id int8, token_id int8,
  kind text not null, name text not null,
  msg_key text,                        -- the client-made id of a message or report: it enters once
  body jsonb not null,
  state int2 not null,                 -- 0 ready (from due_at on), 1 done, 2 failed (an incident names it)
  due_at timestamptz not null,
  attempts int2 not null default 0,
  deaths int2 not null default 0,      -- workers that began this job alone and did not live to end it
  created_at timestamptz not null,
  primary key (part, id)
) with (fillfactor = 70);
-- The worker reads the oldest due work of its partition.
create index job_due on engine.job (part, due_at, id) where state = 0;
create index job_root on engine.job (part, root_id) where state = 0;
-- A message enters an order once, whatever is sent again.
create unique index job_once on engine.job (part, root_id, msg_key) where msg_key is not null;

create table engine.human_task (
  part int2 not null, id int8 not null, root_id int8 not null,
  instance_id int8 not null, token_id int8 not null,
  node text not null, name text not null,
  planned boolean not null,            -- made by a plan-driven stage: its report goes to the inbound handler
  pool int4 not null,                  -- organization.pool, interned; opaque here
  priority int2 not null,
  state int2 not null,                 -- 0 offered, 1 claimed, 2 suspended, 3 done, 4 withdrawn
  reason text,
  assignee int8,
  due_at timestamptz not null,
  created_at timestamptz not null, claimed_at timestamptz, ended_at timestamptz,
  primary key (part, id)
) with (fillfactor = 70);
create index human_task_offered on engine.human_task (pool, due_at, id) where state = 0;
create index human_task_claimed on engine.human_task (assignee, due_at, id) where state = 1;
create index human_task_root on engine.human_task (part, root_id);

create table engine.incident (
  part int2 not null, id int8 not null, root_id int8 not null,
  instance_id int8, node text not null, job_id int8 not null,
  code text not null, message text not null, detail jsonb not null,
  created_at timestamptz not null, resolved_at timestamptz,
  primary key (part, id)
);
create index incident_open on engine.incident (part, created_at) where resolved_at is null;
create index incident_job on engine.incident (part, job_id) where resolved_at is null;

create view engine.v_human_task as
  select part, id, root_id, node, name, pool, priority, state, reason, assignee, due_at, created_at, claimed_at, ended_at
    from engine.human_task;

-- tmf ---------------------------------------------------------------------------------------------------------

create table tmf.subscription (
  id int8 primary key, api text not null, callback text not null, query text not null default '',
  owner text not null, created_at timestamptz not null,
  unique (api, callback, query)
);

-- One row per subscription and event, made only when a subscription matches; delivered in order per entity.
create table tmf.delivery (
  part int2 not null, id int8 not null, root_id int8 not null,
  subscription_id int8 not null, event_type text not null, body jsonb not null,
  state int2 not null,                 -- 0 waiting, 1 delivered, 2 dead
  attempts int2 not null default 0, due_at timestamptz not null,
  created_at timestamptz not null, ended_at timestamptz, last_error text,
  primary key (part, id)
);
create index delivery_due on tmf.delivery (part, due_at, id) where state = 0;
create index delivery_entity on tmf.delivery (part, root_id, subscription_id, id) where state = 0;

-- organization ------------------------------------------------------------------------------------------------

create table organization.unit (
  id int4 primary key, parent_id int4 references organization.unit, kind text not null,  -- province, city, county, exchange, crew
  code text not null unique, name text not null
);
create index unit_parent on organization.unit (parent_id);
create table organization.post (
  id int4 primary key, unit_id int4 not null references organization.unit, role text not null, name text not null,
  unique (unit_id, role)
);
create table organization.person (id int8 primary key, code text not null unique, name text not null, phone text);
create table organization.holding (
  person_id int8 not null references organization.person, post_id int4 not null references organization.post,
  primary key (person_id, post_id)
);
create table organization.token (
  id int8 primary key, digest bytea not null unique, name text not null,
  person_id int8 references organization.person, scopes text[] not null,
  created_at timestamptz not null, expires_at timestamptz, revoked_at timestamptz
);

-- Who a task is offered to: a role in a unit. Interned, because worklists are read by pool.
create table organization.pool (
  id int4 generated always as identity primary key,
  unit_id int4 not null references organization.unit, role text not null,
  unique (unit_id, role)
);

-- party -------------------------------------------------------------------------------------------------------

create table party.customer (
  id int8 primary key, code text not null unique, name text not null, category text not null,
  level text not null,                 -- star level
  status text not null, phone text not null, id_number text,
  address_id int8, area int4, created_at timestamptz not null
);
create index customer_name on party.customer (name);
create table party.account (
  id int8 primary key, customer_id int8 not null references party.customer,
  code text not null unique, status text not null, created_at timestamptz not null
);
create index account_customer on party.account (customer_id);

-- catalog -----------------------------------------------------------------------------------------------------

create table catalog.release (
  id int4 generated always as identity primary key,
  name text not null, digest bytea not null unique, document jsonb not null,   -- immutable
  published_at timestamptz not null
);

-- inventory (area-keyed) --------------------------------------------------------------------------------------

create table inventory.area (
  id int4 primary key, code text not null unique, name text not null, city text not null,
  unit_id int4 not null references organization.unit, rural boolean not null,
  batches int8 not null default 0,     -- raised by whoever writes in the area: its row lock is the area's lock
  topology int4 not null default 0     -- raised when the tree of connectivity changes: workers keep it in memory
);
create table inventory.address (
  id int8 primary key, area int4 references inventory.area, parent_id int8 references inventory.address,
  level int2 not null,                 -- 1 province … 9 room
  name text not null, full_name text not null,
  box_id int8                          -- coverage: the distribution box (last splitter); null = not covered
);
create index address_full on inventory.address (full_name text_pattern_ops);
create index address_parent on inventory.address (parent_id, name);

-- Resources and their connectivity: a passive optical network is a tree, up_id leads to the exchange.
create table inventory.resource (
  area int4 not null references inventory.area, id int8 not null,
  spec text not null, code text not null,
  state int2 not null,                 -- 0 free, 1 reserved, 2 in use, 3 faulty, 4 quarantined
  up_id int8, place_id int8,           -- place: the address served or the box that holds it
  holder int8,                         -- the thing that reserved or uses it
  order_id int8,                       -- the order that reserved it
  until timestamptz,                   -- end of a quarantine
  attrs jsonb not null default '{}',
  primary key (area, id)
) with (fillfactor = 85);
create unique index resource_code on inventory.resource (area, spec, code);
create index resource_free on inventory.resource (area, spec, up_id, id) where state = 0;
create index resource_holder on inventory.resource (area, holder) where holder is not null;
create index resource_up on inventory.resource (area, up_id);
create index resource_quarantined on inventory.resource (area, until) where state = 4;

-- Requests of orders to the area, served by one worker per area in the order (class, time, id).
create table inventory.request (
  area int4 not null references inventory.area, id int8 not null,    -- made by the order: the key of idempotency
  order_id int8 not null, revision int4 not null, kind text not null, -- reserve, archive, release, free, withdraw
  class int2 not null, asked_at timestamptz not null,
  body jsonb not null,
  state int2 not null,                 -- 0 open (a waiting order keeps its rank here), 1 served, 2 withdrawn, 3 refused
  answer jsonb, served_at timestamptz,
  told boolean not null,               -- the answer has reached the order
  waits text[] not null default '{}',  -- of an open request: the boxes and pools in which it has rank
  primary key (area, id)
);
create index request_open on inventory.request (area, class, asked_at, id) where state = 0;
create index request_untold on inventory.request (area, id) where not told;

create table inventory.product (
  area int4 not null references inventory.area, id int8 not null, customer_id int8 not null,
  parent_id int8, offering text not null, spec text, name text not null,
  state int2 not null,                 -- 0 created, 1 pendingActive, 2 active, 3 suspended, 4 pendingTerminate, 5 terminated, 6 cancelled
  claimed_by int8,                     -- the order that may change it
  characteristics jsonb not null, place_id int8,
  realisations jsonb not null,         -- the confirmed effects: kind, thing, parameters, dependencies, undo
  order_id int8 not null, release_id int4 not null,
  started_at timestamptz, ended_at timestamptz,
  primary key (area, id)
);
create index product_customer on inventory.product (customer_id, id);
create table inventory.service (
  area int4 not null references inventory.area, id int8 not null, product_id int8 not null,
  spec text not null, role text not null, state int2 not null,   -- 0 feasibilityChecked … 4 active, 5 terminated
  characteristics jsonb not null, started_at timestamptz, ended_at timestamptz,
  primary key (area, id)
);
create index service_product on inventory.service (area, product_id);
-- Who uses a thing that several products share; release answers the last user.
create table inventory.usage (
  area int4 not null references inventory.area, thing_id int8 not null, product_id int8 not null,
  primary key (area, thing_id, product_id)
);
create index usage_product on inventory.usage (area, product_id);

-- What the statements of other rooms may read.
create view inventory.v_address as select id, area, parent_id, level, name, full_name, box_id from inventory.address;
create view inventory.v_resource as
  select area, id, spec, code, state, up_id, place_id, holder, order_id, until, attrs from inventory.resource;
create view inventory.v_product as
  select area, id, customer_id, parent_id, offering, spec, name, state, claimed_by, characteristics, place_id,
         realisations, order_id, release_id, started_at, ended_at from inventory.product;
create view inventory.v_service as
  select area, id, product_id, spec, role, state, characteristics, started_at, ended_at from inventory.service;
create view inventory.v_usage as select area, thing_id, product_id from inventory.usage;

-- ordering (order-keyed) --------------------------------------------------------------------------------------

create table ordering.product_order (
  part int2 not null, id int8 not null,
  external_id text, source text not null, content_hash bytea not null,
  customer_id int8, channel text, category text, description text, priority int2 not null,
  ordered_at timestamptz not null, requested_start_at timestamptz, requested_completion_at timestamptz,
  extra jsonb not null,                -- attributes kept as they came
  primary key (part, id),
  foreign key (part, id) references kernel.root (part, id)
);
create index product_order_ordered on ordering.product_order (ordered_at, id);
create index product_order_external on ordering.product_order (external_id) where external_id is not null;
create index product_order_customer on ordering.product_order (customer_id);

create table ordering.order_item (
  part int2 not null, id int8 not null, order_id int8 not null,
  item_key text not null,              -- the id that the client gave
  parent_key text,                     -- the item of the bundle that holds it
  action text not null, offering text not null, product_id int8 not null,
  state text not null,                 -- acknowledged, pending, held, inProgress, closing, completed, failed, cancelled, rejected
  reason text,
  ponr text not null default 'none',   -- none, soft, hard: written when its fact lands
  completed_at timestamptz,
  primary key (part, id),
  unique (part, order_id, item_key)
) with (fillfactor = 60);

create table ordering.revision (
  part int2 not null, order_id int8 not null, n int4 not null,
  state text not null,                 -- intake, accepted, rejected, replaced
  release_id int4 not null,            -- catalog.release; no foreign key, as with engine.instance.definition_id
  document jsonb not null,             -- the ordered items as asked for
  tree jsonb,                          -- the decomposition, explained line by line
  design jsonb,                        -- the resources chosen by the areas
  problems jsonb not null default '[]',
  created_at timestamptz not null, decided_at timestamptz,
  primary key (part, order_id, n)
);

-- The order's state is derived from its items; ordering.model.order_state is the same table in Python.
create view ordering.v_product_order as
  select o.part, o.id, o.external_id, o.source, o.customer_id, o.channel, o.category, o.description, o.priority,
         o.ordered_at, o.requested_start_at, o.requested_completion_at, o.extra,
         (select case
                   when min(i.state) = max(i.state) then replace(min(i.state), 'closing', 'inProgress')
                   when bool_and(i.state in ('completed', 'failed', 'cancelled', 'rejected')) then
                     case when bool_or(i.state = 'completed') and bool_or(i.state = 'failed') then 'partial'
                          when bool_or(i.state = 'completed') then 'completed'
                          when bool_or(i.state = 'failed') then 'failed'
                          else 'cancelled' end
                   when bool_or(i.state not in ('held', 'pending')) then 'inProgress'
                   else 'held' end
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as state,
         (select case when bool_and(i.state in ('completed', 'failed', 'cancelled', 'rejected'))
                      then max(i.completed_at) end
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as completed_at,
         (select jsonb_object_agg(i.item_key, jsonb_build_object('state', i.state, 'reason', i.reason))
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as items,
         (select r.document from ordering.revision r where r.part = o.part and r.order_id = o.id
           order by r.state = 'accepted' desc, r.n desc limit 1) as document
    from ordering.product_order o;

-- planning: the ledger (order-keyed) --------------------------------------------------------------------------

create table planning.effect (
  part int2 not null, id int8 not null, order_id int8 not null, revision int4 not null,
  thing_id int8 not null, kind text not null, item_key text,
  op text not null,                    -- do, redo, undo, inherited
  of_id int8,                          -- what an undo or redo is about
  state text not null,                 -- intent, sent, confirmed, failed, unknown, undone, withdrawn
  ready boolean not null,              -- all that it needs is confirmed: it may be sent or worked on
  needs int8[] not null,
  work text not null,                  -- the kind of work: who does it
  element text,                        -- the send queue: network element, other system or area; null = people
  priority int2 not null,
  reads_hash text, params jsonb not null, undo jsonb,
  result jsonb, attempts int2 not null default 0,
  due_at timestamptz,                  -- when to send again or to ask
  created_at timestamptz not null, sent_at timestamptz, ended_at timestamptz,
  primary key (part, order_id, id)     -- read by order, always
) with (fillfactor = 60);
-- The send queue of an element; the sender reads it without locks.
create index effect_queue on planning.effect (element, priority, id) where state = 'intent' and ready and element is not null;
-- What was sent and not answered, or is unknown: asked about, never sent blind.
create index effect_open on planning.effect (element, due_at, id) where state in ('sent', 'unknown');

create view planning.v_effect as
  select part, id, order_id, thing_id, kind, item_key, op, state, result, created_at, ended_at from planning.effect;

-- provisioning ------------------------------------------------------------------------------------------------

create table provisioning.element (
  name text primary key, system text not null, host text not null, port int4 not null
);

-- workforce (order-keyed) -------------------------------------------------------------------------------------

create table workforce.work_order (
  part int2 not null, id int8 not null, order_id int8 not null,     -- the id is that of its human task
  kind text not null,
  lines jsonb not null,                -- what it carries: effect, kind of effect, item, parameters
  release_id int4 not null,            -- the forms it is reported with
  place jsonb not null, created_at timestamptz not null,
  primary key (part, id)
);
create index work_order_order on workforce.work_order (part, order_id);
