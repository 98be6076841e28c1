# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# courier.sh: the package tiercel-courier under systemd, for inside.sh, which has the functions that are not defined here.
# Alerts reach a webhook; signed rules come by `tiercel rules pull` and by the timer's service, and the running analyzer
# loads them through the link `current`.
#
# Beside it: courier/*.deb, web.pl.
served=/srv/rules posted=/tmp/posted
version_in_force() { readlink /var/lib/tiercel-rules/current; }
reloads() { journalctl --no-pager -q -u tiercel | grep -c ': Reloaded '; }

# Puts rules on the web server that are signed as the version $1, and whose alerts say pulled-$1.
give_rules() {
    mkdir -p /tmp/rules
    printf -- '- rule: Pulled\n  desc: A test.\n  condition: %s\n  output: pulled-%s %%evt.type\n  priority: notice\n' \
        'evt.type in (execve, execveat) and evt.failed=false and proc.name=nice' "$1" >/tmp/rules/pulled.yaml
    tar -C /tmp/rules -czf $served/rules.tar.gz .
    minisign -S -s /tmp/rules.key -m $served/rules.tar.gz -t "timestamp:$1" >/dev/null </dev/null
}
rules_alert() { # VERSION
    local before
    before=$(now)
    nice true
    within 5 alerted_since "$before" "pulled-$1"
}
webhook_has() { [ -e $posted ] && grep -q "$1" $posted; }
web_listens() { grep -q ' 0100007F:1F90 00000000:0000 0A ' /proc/net/tcp; }

mkdir -p $served
perl ./web.pl 8080 $served $posted &
web=$!
within 10 web_listens
check "the courier's package installs" dpkg --install courier/*.deb
check "and is off" is "$(systemctl is-enabled tiercel-courier.socket tiercel-courier.service tiercel-pull.timer | xargs) $(state tiercel-pull.timer)" \
    "disabled disabled disabled inactive"
cp -p /etc/tiercel/analyzer.yaml /tmp/analyzer.yaml

# ---- alerts ----
echo 'destinations: [{name: web, type: http, url: "http://127.0.0.1:8080/alerts"}]' >/etc/tiercel/courier.yaml
check "the courier can be enabled" systemctl enable --now tiercel-courier.socket tiercel-courier.service
courier=$(main_pid tiercel-courier)
confined courier "$courier" /usr/libexec/tiercel/tiercel-courier tiercel-courier
echo 'courier_output: {enabled: true}' >>/etc/tiercel/analyzer.yaml
check "the analyzer starts with it" systemctl restart tiercel
check "and alerts" alert_works
check "a webhook has the alert" within 20 webhook_has /etc/shadow || journalctl --no-pager -q -u tiercel-courier | tail

# ---- signed rules ----
minisign -G -W -p /etc/tiercel/rules.pub -s /tmp/rules.key >/dev/null
echo 'rules: {url: "http://127.0.0.1:8080/rules.tar.gz"}' >>/etc/tiercel/courier.yaml
give_rules 1
check "tiercel rules pull places rules" tiercel rules pull
check "of that version" is "$(version_in_force)" 1
echo 'rules_files: [/etc/tiercel/rules.d, /var/lib/tiercel-rules/current]' >>/etc/tiercel/analyzer.yaml
check "the analyzer starts with them" systemctl restart tiercel
check "and they alert" within 20 rules_alert 1 || explain
analyzer=$(main_pid tiercel)
give_rules 2
check "tiercel rules pull has newer ones loaded" tiercel rules pull
check "which alert" within 20 rules_alert 2 || explain
give_rules 3
check "the timer's service pulls, too" systemctl start tiercel-pull.service || journalctl --no-pager -q -u tiercel-pull | tail
check "and they alert" within 20 rules_alert 3 || explain
before=$(reloads)
check "once more there is nothing newer, which is no failure" systemctl start tiercel-pull.service
check "as it says" grep -q 'nothing newer: the rules 3 are in place' <<<"$(journalctl --no-pager -q -u tiercel-pull)"
check "and nothing is loaded for it" is "$(reloads)" "$before"
check "tiercel rules rollback has those before loaded" tiercel rules rollback
check "which alert" within 20 rules_alert 2 || explain
give_rules 4
echo more >>$served/rules.tar.gz
check "a signature that does not fit is a failure" eval '! systemctl start tiercel-pull.service'
systemctl reset-failed tiercel-pull.service
check "and the rules stay" is "$(version_in_force)" 2
check "all from one analyzer" is "$(main_pid tiercel)" "$analyzer"
check "whose other rules alert, too" alert_works
check "the timer can be enabled" systemctl enable --now tiercel-pull.timer
check "and waits" is "$(systemctl show -p SubState --value tiercel-pull.timer)" waiting

# ---- removal ----
mv /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
check "the analyzer starts without the courier" systemctl restart tiercel
check "the courier's package can be purged" dpkg --purge tiercel-courier
check "its units have ended" is "$(pgrep -cx tiercel-courier) $(systemctl list-units --all --no-legend 'tiercel-courier*' 'tiercel-pull*' | xargs)" "0 "
check "and leave neither files nor an account" is "$(find /var/lib/tiercel-* /var/lib/systemd/timers/*tiercel* /etc/tiercel/courier.yaml /etc/systemd/system/*/tiercel-[cp][ou]* \
    2>/dev/null; getent passwd tiercel-courier)" ""
rm -r $served /tmp/rules /tmp/rules.key /etc/tiercel/rules.pub
kill "$web"
