-- Who made a revision, on which one it stands, and the hash of what was sent (the same again is answered the same).
-- States: intake, accepted, rejected, replaced, stale.
alter table ordering.revision add made_by text not null default '', add base int4,
  add digest bytea not null default '', add note text;

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
create unique index cancel_task_id on ordering.cancel_task (part, id);

-- Items that were cancelled do not count as long as others are there; ordering.model.order_state says the same.
create or replace view ordering.v_product_order as
  select o.part, o.id, o.external_id, o.source, o.customer_id, o.channel, o.category, o.description, o.priority,
         o.ordered_at, o.requested_start_at, o.requested_completion_at, o.extra,
         (select case
                   when bool_and(i.state in ('cancelled', 'rejected')) then
                     case when min(i.state) = max(i.state) then min(i.state) else 'cancelled' end
                   when min(i.state) filter (where i.state not in ('cancelled', 'rejected'))
                      = max(i.state) filter (where i.state not in ('cancelled', 'rejected'))
                     then replace(min(i.state) filter (where i.state not in ('cancelled', 'rejected')),
                                  'closing', 'inProgress')
                   when bool_and(i.state in ('completed', 'failed', 'cancelled', 'rejected')) then 'partial'
                   when bool_and(i.state in ('held', 'pending', 'cancelled', 'rejected')) then 'held'
                   else 'inProgress' end
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as state,
         (select case when bool_and(i.state in ('completed', 'failed', 'cancelled', 'rejected'))
                      then max(i.completed_at) end
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as completed_at,
         (select jsonb_object_agg(i.item_key, jsonb_build_object('state', i.state, 'reason', i.reason))
            from ordering.order_item i where i.part = o.part and i.order_id = o.id) as items,
         (select r.document from ordering.revision r
           where r.part = o.part and r.order_id = o.id and r.state <> 'stale'
           order by r.state = 'accepted' desc, r.n desc limit 1) as document
    from ordering.product_order o;

-- What an effect is about, so that others see which facts are still in the network.
create or replace view planning.v_effect as
  select part, id, order_id, thing_id, kind, item_key, op, state, result, created_at, ended_at, of_id
    from planning.effect;
