-- 预受理: a reservation that is held until an instant, unless it is confirmed before; 4 soft, 5 expired.
alter table inventory.request
    add until timestamptz,
    add constraint request_state check (state between 0 and 5);
create index request_until on inventory.request (area, until) where until is not null and state in (0, 4);
-- How long a reservation may be soft, in minutes.
insert into kernel.setting (name, value) values ('preacceptance.minutes_max', '1440');

-- 咨询: an answer with its validity (TMF645, TMF679); nothing is reserved for it.
create table fulfilment.qualification (
    part int2 not null,
    id int8 not null,
    kind text not null,
    external_id text,
    result text not null,
    document jsonb not null,
    made_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (part, id)
);
create index qualification_expires on fulfilment.qualification (part, expires_at);
