alter table public.paint set schema api;
alter type public.hue set schema api;
alter function public.mix(api.hue) set schema api;
