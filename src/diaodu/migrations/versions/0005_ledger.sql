-- An effect of an item on hold is neither sent nor offered.
alter table planning.effect add held boolean not null default false;
