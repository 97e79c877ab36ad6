-- Reference tables: small, read by every order, written by people.

create schema rules;

create table rules.decision (
  key text primary key check (key <> ''),  -- the name that FEEL calls
  name_zh text not null, name_en text not null,
  created_at timestamptz not null
);

create table rules.version (
  key text not null references rules.decision, n int4 not null check (n >= 1),
  state text not null check (state in ('draft', 'published', 'withdrawn')),
  document bytea not null,             -- DMN 1.5 XML as it was written; immutable from publication on, with the tests
  tests jsonb not null check (jsonb_typeof(tests) = 'array'),
  note text not null,
  digest bytea not null,               -- of document, tests, note: what an editor must have seen to write over it
  saved_by text not null, saved_at timestamptz not null,
  published_by text, published_at timestamptz, effective_at timestamptz,
  gaps_accepted boolean not null default false,
  withdrawn_by text, withdrawn_at timestamptz,
  primary key (key, n),
  check (num_nulls(published_by, published_at, effective_at) = case when state = 'draft' then 3 else 0 end),
  check (num_nulls(withdrawn_by, withdrawn_at) = case when state = 'withdrawn' then 0 else 2 end),
  check (effective_at >= published_at),
  check (withdrawn_at < effective_at)   -- what has decided stays
);
create unique index version_draft on rules.version (key) where state = 'draft';
create index version_effective on rules.version (key, effective_at desc, n desc) where state = 'published';

-- A release takes effect at an instant; content that was in effect before may come back.
alter table catalog.release add column effective_at timestamptz;
update catalog.release set effective_at = published_at;
alter table catalog.release alter column effective_at set not null;
alter table catalog.release drop constraint release_digest_key;
create index release_effective on catalog.release (effective_at desc, id desc);
