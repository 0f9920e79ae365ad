#!/usr/bin/env bash
# Makes what the official image is made of, as far as a module can tell, of a fresh Debian root: nginx from the
# sources in /root/share/nginx, configured and laid out as nginx.org's package. Leaves it in /root/share/base.tar.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends ca-certificates curl gcc libc6-dev libpcre2-dev libssl-dev zlib1g-dev
useradd --system --no-create-home --home-dir /nonexistent --shell /bin/false nginx

cp -R /root/share/nginx /tmp/nginx
cd /tmp/nginx
configure=auto/configure
[ ! -e configure ] || configure=./configure
"$configure" --prefix=/etc/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib/nginx/modules \
    --conf-path=/etc/nginx/nginx.conf --error-log-path=/var/log/nginx/error.log \
    --http-log-path=/var/log/nginx/access.log --pid-path=/run/nginx.pid --lock-path=/run/nginx.lock \
    --http-client-body-temp-path=/var/cache/nginx/client_temp --http-proxy-temp-path=/var/cache/nginx/proxy_temp \
    --http-fastcgi-temp-path=/var/cache/nginx/fastcgi_temp --http-uwsgi-temp-path=/var/cache/nginx/uwsgi_temp \
    --http-scgi-temp-path=/var/cache/nginx/scgi_temp --user=nginx --group=nginx --with-compat --with-file-aio \
    --with-threads --with-http_addition_module --with-http_auth_request_module --with-http_dav_module \
    --with-http_flv_module --with-http_gunzip_module --with-http_gzip_static_module --with-http_mp4_module \
    --with-http_random_index_module --with-http_realip_module --with-http_secure_link_module \
    --with-http_slice_module --with-http_ssl_module --with-http_stub_status_module --with-http_sub_module \
    --with-http_v2_module --with-http_v3_module --with-stream --with-stream_realip_module \
    --with-stream_ssl_module --with-stream_ssl_preread_module \
    --with-cc-opt='-g -O2 -fstack-protector-strong -Wformat -Werror=format-security -D_FORTIFY_SOURCE=2 -fPIC' \
    --with-ld-opt='-Wl,-z,relro -Wl,-z,now -Wl,--as-needed -pie' >/dev/null
env -u MAKEFLAGS make -j "$(nproc)" >/dev/null
make install >/dev/null
mkdir -p /usr/lib/nginx/modules /var/cache/nginx /etc/nginx/conf.d
ln -sfn /usr/lib/nginx/modules /etc/nginx/modules
cat >/etc/nginx/nginx.conf <<'END'
user  nginx;
worker_processes  auto;
events {
    worker_connections  1024;
}
http {
    include /etc/nginx/conf.d/*.conf;
}
END
cat >/etc/nginx/conf.d/default.conf <<'END'
server {
    listen 80;
    root /etc/nginx/html;
}
END

# What nginx is compiled with is not in the image; what it is linked with is.
rm -rf /tmp/nginx
apt-mark auto gcc libc6-dev libpcre2-dev libssl-dev zlib1g-dev make >/dev/null
apt-mark manual libpcre2-8-0 libssl3 zlib1g >/dev/null
apt-get autoremove -y --purge
nginx -t
tar -c -C / -f /root/share/base.tar --exclude=./root/share --exclude=./root/checkout --exclude=./root/.cargo \
    --exclude=./root/.rustup --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' .
