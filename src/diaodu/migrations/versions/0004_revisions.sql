-- Who made a revision, and on which one it stands; states: intake, accepted, rejected, replaced, stale.
alter table ordering.revision add made_by text not null default '', add base int4;

-- 缓装, 待装, 挂起 and other reasons why an item waits; an open one has no end. item_key '' = the whole order.
create table ordering.hold (
    part int2 not null,
    id int8 not null,
    order_id int8 not null,
    item_key text not null,
    cause text not null,
    reason text,
    note text,
    made_by text not null,
    since_at timestamptz not null,
    until_at timestamptz,
    ended_at timestamptz,
    primary key (part, order_id, id),
    foreign key (part, order_id) references kernel.root (part, id)
);
create unique index hold_open on ordering.hold (part, order_id, item_key, cause) where ended_at is null;

-- 撤单: the task resource of TMF622; items are the verdicts by item key.
create table ordering.cancel_task (
    part int2 not null,
    id int8 not null,
    order_id int8 not null,
    state text not null,
    reason text,
    items jsonb not null,
    fee jsonb,
    made_by text not null,
    extra jsonb not null default '{}',
    created_at timestamptz not null,
    decided_at timestamptz,
    ended_at timestamptz,
    primary key (part, order_id, id),
    foreign key (part, order_id) references kernel.root (part, id)
);
