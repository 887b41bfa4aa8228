/* objects: emulator/netlink/kernel.o emulator/netlink/transact.o emulator/netlink/apply.o emulator/netlink/settle.o emulator/netlink/dump.o emulator/netlink/batch.o emulator/netlink/channel.o emulator/netlink/netns.o emulator/netlink/route.o emulator/netlink/nft.o emulator/netlink/nft_dump.o emulator/netlink/skeleton.o emulator/netlink/object.o emulator/base/error.o emulator/base/util.o emulator/base/cidr.o emulator/base/id.o emulator/base/map.o */
/* libs: -lmnl -lnftnl */
#include "kernel_contract.h"
int main(void)
{
	return cmocka_run_group_tests_name("contract", contract_tests, NULL, NULL);
}
