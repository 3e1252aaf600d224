package main

import (
	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
)

// layer3 is a stateful section to be made.
func layer3(name string) manager.FirewallSection {
	return manager.FirewallSection{DisplayName: name, SectionType: "LAYER3", Stateful: true}
}

// rule is one to be made, for the revision its section has.
func rule(name, action string, revision int64) manager.FirewallRule {
	return manager.FirewallRule{DisplayName: name, Action: action, Revision: revision}
}

// names are those of rules, in order.
func names(rules []manager.FirewallRule) []string {
	return each(rules, func(own manager.FirewallRule) string { return own.DisplayName })
}

func firewall(to *chapter) {
	api := to.ServicesApi
	var top, before, whole manager.FirewallSection
	to.step("sections are placed on top, before another, and with their rules at once", func() {
		var err error
		top, _, err = api.AddSection(to.ctx, layer3("go-top"), nil)
		must(err)
		place := optional{"operation": "insert_before", "id": top.Id}
		before = got(api.AddSection(to.ctx, layer3("go-before"), place))
		body := manager.FirewallSectionRuleList{
			FirewallSection: layer3("go-whole"),
			Rules:           []manager.FirewallRule{rule("one", "ALLOW", 0), rule("two", "DROP", 0)},
		}
		place = optional{"operation": "insert_after", "id": before.Id}
		made, reply, err := api.AddSectionWithRulesCreateWithRules(to.ctx, body, place)
		must(err)
		equal(reply.StatusCode, 201, "status")
		equal(names(made.Rules), []string{"one", "two"}, "rules")
		whole = made.FirewallSection
		list := got(api.ListSections(to.ctx, nil)).Results
		order := each(list[:3], func(own manager.FirewallSection) string { return own.DisplayName })
		equal(order, []string{"go-before", "go-whole", "go-top"}, "the order")
		equal(list[len(list)-1].IsDefault, true, "the last is the default section")
	})
	to.step("the lists of layer 2 and layer 3 are two", func() {
		for _, own := range got(api.ListSections(to.ctx, optional{"type_": "LAYER2"})).Results {
			equal(own.SectionType, "LAYER2", own.DisplayName)
		}
	})
	to.step("an anchor that is none is refused", func() {
		place := optional{"operation": "insert_before", "id": "no-such-section"}
		equal(status(api.AddSection(to.ctx, layer3("go-lost"), place)), 404, "status")
	})
	to.step("a section is read with its rules, and replaced with them: known ids are kept", func() {
		list := got(api.GetSectionWithRulesListWithRules(to.ctx, whole.Id))
		kept := list.Rules[1]
		list.Rules = []manager.FirewallRule{kept, rule("three", "REJECT", 0)}
		changed := got(api.UpdateSectionWithRulesUpdateWithRules(to.ctx, whole.Id, list))
		equal(names(changed.Rules), []string{"two", "three"}, "rules")
		equal(changed.Rules[0].Id, kept.Id, "the id of the one that stayed")
		equal(changed.Rules[1].Revision, changed.Revision, "a rule's revision is its section's")
		equal(status(api.UpdateSectionWithRulesUpdateWithRules(to.ctx, whole.Id, list)), 409, "stale")
	})
	to.step("a section is updated without its rules, then emptied rule by rule", func() {
		body := got(api.GetSection(to.ctx, whole.Id))
		body.Description = "changed"
		got(api.UpdateSection(to.ctx, whole.Id, body))
		list := got(api.GetSectionWithRulesListWithRules(to.ctx, whole.Id))
		equal(len(list.Rules), 2, "rules")
		for _, own := range list.Rules {
			done(api.DeleteRule(to.ctx, whole.Id, own.Id))
			equal(bare(api.DeleteRule(to.ctx, whole.Id, own.Id)), 404, "status")
		}
		equal(got(api.GetSection(to.ctx, whole.Id)).RuleCount, int64(0), "rule_count")
	})
	to.step("a section is moved by revise", func() {
		body := got(api.GetSection(to.ctx, before.Id))
		place := optional{"operation": "insert_after", "id": top.Id}
		got(api.ReviseSectionRevise(to.ctx, before.Id, body, place))
		list := got(api.ListSections(to.ctx, nil)).Results
		order := each(list[:3], func(own manager.FirewallSection) string { return own.DisplayName })
		equal(order, []string{"go-whole", "go-top", "go-before"}, "the order")
	})
	to.step("the default section stays, its rule's action can be changed", func() {
		list := got(api.ListSections(to.ctx, nil)).Results
		standing := list[len(list)-1]
		equal(bare(api.DeleteSection(to.ctx, standing.Id, optional{"cascade": true})), 400, "status")
		all := got(api.GetRules(to.ctx, standing.Id, nil)).Results
		last := all[len(all)-1]
		last.Action = "DROP"
		last = got(api.UpdateRule(to.ctx, standing.Id, last.Id, last))
		last.Action = "ALLOW"
		equal(got(api.UpdateRule(to.ctx, standing.Id, last.Id, last)).Action, "ALLOW", "the action")
	})
	to.step("sections are deleted; a second delete is 404", func() {
		for _, own := range []manager.FirewallSection{top, before, whole} {
			done(api.DeleteSection(to.ctx, own.Id, optional{"cascade": true}))
			equal(bare(api.DeleteSection(to.ctx, own.Id, nil)), 404, "status")
		}
	})
	excludeList(to)
}

func excludeList(to *chapter) {
	api := to.ServicesApi
	to.step("a port is added to the exclude list, found there and removed", func() {
		net := segment(to, "go-excluded")
		own := port(to, wanted(net, 1))
		added := got(api.AddMemberAddMember(to.ctx, refer("LogicalPort", own.Id)))
		equal(added.TargetDisplayName, own.DisplayName, "the name")
		equal(got(api.CheckMemberIfExistsCheckIfExists(to.ctx, own.Id)).TargetId, own.Id, "the id")
		got(api.RemoveMemberRemoveMember(to.ctx, own.Id))
		equal(status(api.CheckMemberIfExistsCheckIfExists(to.ctx, own.Id)), 404, "status")
		list := got(api.GetExcludeList(to.ctx))
		list.Members = []common.ResourceReference{refer("LogicalSwitch", net)}
		changed := got(api.UpdateExcludeList(to.ctx, list))
		equal(len(changed.Members), 1, "members")
		equal(status(api.UpdateExcludeList(to.ctx, list)), 412, "status of a stale list")
		changed.Members = []common.ResourceReference{}
		equal(len(got(api.UpdateExcludeList(to.ctx, changed)).Members), 0, "members")
		remove(to, net)
	})
}
