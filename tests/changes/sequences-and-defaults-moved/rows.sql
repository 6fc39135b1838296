insert into public.u default values; insert into public.u default values; insert into public.u2 default values;
