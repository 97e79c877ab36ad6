-- What has ended stays in these tables, while their partial indexes (work on offer, intents to send, deliveries) hold
-- what is open: with the server's share of a fifth of the table these grow with the years instead of with the work.
alter table engine.human_task set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table engine.instance set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table engine.external_task set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table planning.effect set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table tmf.delivery set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table inventory.request set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
