alter table public.task rename to job;
alter view public.titles rename to job_titles;
